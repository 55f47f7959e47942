"""ClickHouse type names as trees: `LowCardinality(Nullable(String))`, quoted enum names and all."""

import re
from dataclasses import dataclass
from typing import Self

_TOKEN = re.compile(r"\s*(?:'((?:[^'\\]|\\.|'')*)'|(-?\d+)|([A-Za-z_]\w*)|(`(?:[^`\\]|\\.)*`)|(.))")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "f": "\f", "a": "\a", "v": "\v"}
_DECIMALS = {"Decimal32": 9, "Decimal64": 18, "Decimal128": 38, "Decimal256": 76}


@dataclass(frozen=True)
class ChType:
    """One type: its name, its argument types, and its literals (numbers, strings, enum names).

    `Decimal64(2)` is given as `Decimal` with numbers (18, 2); `Enum8('a' = 1)` has strings
    ('a',) and numbers (1,).
    """

    name: str
    inner: tuple[Self, ...] = ()
    numbers: tuple[int, ...] = ()
    strings: tuple[str, ...] = ()

    @property
    def nullable(self) -> bool:
        """Whether a NULL can be stored."""
        if self.name == "LowCardinality":
            return self.inner[0].nullable
        return self.name == "Nullable"

    @property
    def core(self) -> "ChType":
        """The type without Nullable and LowCardinality around it."""
        wrapped = self.name in {"Nullable", "LowCardinality"} and len(self.inner) == 1
        return self.inner[0].core if wrapped else self


def parse(text: str) -> ChType:
    """The tree of a type name as `system.columns.type` gives it. ValueError: not one type."""
    parser = _Parser(text)
    found = parser.type()
    if parser.peek() is not None:
        raise ValueError(f"not one ClickHouse type: {text}")
    return _normal(found)


def _normal(found: ChType) -> ChType:
    if found.name in _DECIMALS and len(found.numbers) == 1:
        return ChType("Decimal", numbers=(_DECIMALS[found.name], found.numbers[0]))
    inner = tuple(_normal(one) for one in found.inner)
    return ChType(found.name, inner, found.numbers, found.strings)


def _unescape(text: str) -> str:
    text = text.replace("''", "'")
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), text, flags=re.DOTALL)


class _Parser:
    """Recursive descent over (kind, value) tokens; names of Tuple elements are skipped."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [_token(found) for found in _TOKEN.finditer(text.strip())]
        self.at = 0

    def peek(self, ahead: int = 0) -> tuple[str, str] | None:
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else None

    def take(self, kind: str) -> str:
        token = self.peek()
        if token is None or token[0] != kind:
            raise ValueError(f"not a ClickHouse type: {self.text}")
        self.at += 1
        return token[1]

    def type(self) -> ChType:
        named = self.peek(1)
        if named is not None and named[0] == "word":
            self.at += 1  # `Tuple(latitude Float64)`: the element's name, which no rule needs
        name = self.take("word")
        if self.peek() != ("(", "("):
            return ChType(name)
        self.take("(")
        return self._arguments(name)

    def _arguments(self, name: str) -> ChType:
        inner: list[ChType] = []
        numbers: list[int] = []
        strings: list[str] = []
        while self.peek() != (")", ")"):
            token = self.peek()
            if token is None:
                raise ValueError(f"not a ClickHouse type: {self.text}")
            if token[0] == "string":
                strings.append(self.take("string"))
            elif token[0] == "number":
                numbers.append(int(self.take("number")))
            elif token[0] in {",", "="}:
                self.take(token[0])
            else:
                inner.append(self.type())
        self.take(")")
        return ChType(name, tuple(inner), tuple(numbers), tuple(strings))


def _token(found: re.Match[str]) -> tuple[str, str]:
    if found[1] is not None:
        return "string", _unescape(found[1])
    if found[2] is not None:
        return "number", found[2]
    if found[3] is not None or found[4] is not None:
        return "word", found[3] or found[4]
    return found[5], found[5]
