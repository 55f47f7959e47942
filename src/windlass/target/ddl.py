"""Reading ClickHouse's own DDL text: engine arguments, clauses, settings, projections."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_CLAUSES = {
    "PARTITION BY",
    "PRIMARY KEY",
    "ORDER BY",
    "SAMPLE",
    "TTL",
    "SETTINGS",
    "COMMENT",
}
_NAMES = ("name", "quoted")
_DEPTH = {"(": 1, ")": -1, "[": 1, "]": -1}


@dataclass(frozen=True)
class Token:
    """A word of DDL and where it stands, `[start, end)`: kind `name` for bare words, `quoted`
    for quoted identifiers, `string`, `number`, or the sign itself."""

    kind: str
    text: str
    start: int
    end: int


def tokens(ddl: str) -> Iterator[Token]:
    """The words of DDL text, quoting and comments understood."""
    import sqlglot

    kinds = {"STRING": "string", "IDENTIFIER": "quoted", "NUMBER": "number"}
    for token in sqlglot.tokenize(ddl, read="clickhouse"):
        word = token.text[:1].isalpha() or token.text[:1] == "_"
        kind = kinds.get(token.token_type.name, "name" if word else token.text)
        yield Token(kind, token.text, token.start, token.end + 1)


def engine_arguments(full: str) -> tuple[str, ...]:
    """The column names among an engine's arguments (`system.tables.engine_full`); a Replicated
    engine's path and replica are string literals and left out."""
    words = list(tokens(full))
    if len(words) < 2 or words[1].kind != "(":
        return ()
    names, depth = [], 0
    for word in words[1:]:
        depth += _DEPTH.get(word.kind, 0)
        if depth == 0:
            break
        if depth == 1 and word.kind in _NAMES:
            names.append(word.text)
    return tuple(names)


def arguments(full: str) -> list[str]:
    """The texts of an engine's arguments, such as `["'c'", "'d'", "'t'", "cityHash64(k)"]`."""
    words = list(tokens(full))
    if len(words) < 2 or words[1].kind != "(":
        return []
    depth = 0
    for word in words[1:]:
        depth += _DEPTH.get(word.kind, 0)
        if depth == 0:
            inside = full[words[1].end : word.start]
            return [one.strip() for one in _elements(inside) if one.strip()]
    return []


def clauses(full: str) -> dict[str, str]:
    """The text of each clause of an `engine_full`, such as `{"ORDER BY": "(a, b DESC)"}`."""
    heads = [word for word in _outer(list(tokens(full))) if _is_head(word)]
    starts = [*(head.start for head in heads), len(full)]
    return {
        head.text.upper(): full[head.end : end].strip()
        for head, end in zip(heads, starts[1:], strict=True)
    }


@dataclass(frozen=True)
class Expiry:
    """A TTL that takes rows away, or the values of one column: its expression, and what stands
    behind it (` WHERE …`)."""

    expression: str
    condition: str = ""
    column: str = ""


def expiries(full: str, create: str) -> list[Expiry]:
    """The TTLs of a table and its columns that change what it holds; moves to other disks and
    other codecs do not."""
    found = [_expiry(one.strip()) for one in _elements(clauses(full).get("TTL", ""))]
    return [*(one for one in found if one), *_column_expiries(create)]


def _expiry(element: str) -> Expiry | None:
    for word in _outer(list(tokens(element))):
        head = word.text.upper() if word.kind == "name" else ""
        if head in {"TO", "RECOMPRESS"}:
            return None
        if head in {"DELETE", "WHERE", "GROUP BY", "SET"}:
            rest = element[word.start :].removeprefix("DELETE").strip()
            return Expiry(element[: word.start].strip(), f" {rest}" if rest else "")
    return Expiry(element) if element else None


def _column_expiries(create: str) -> Iterator[Expiry]:
    """`name Type … TTL expression` among the columns of a CREATE TABLE."""
    words = list(tokens(create))
    begin = next((at for at, word in enumerate(words) if word.kind == "("), len(words) - 1)
    depth, first, ttl = 0, begin + 1, 0
    for at, word in enumerate(words[begin:], begin):
        depth += _DEPTH.get(word.kind, 0)
        ends = (depth == 1 and word.kind == ",") or depth == 0
        if depth == 1 and word.kind == "name" and word.text.upper() == "TTL" and at > first:
            ttl = at
        if ends and ttl:
            yield Expiry(create[words[ttl].end : word.start].strip(), column=words[first].text)
        if ends:
            first, ttl = at + 1, 0
        if depth == 0:
            return


def settings(clause: str) -> dict[str, str]:
    """A SETTINGS clause as `{name: literal}`."""
    return {
        name.strip(): value.strip()
        for name, equals, value in (one.partition("=") for one in _elements(clause))
        if equals
    }


def plain_elements(key: str) -> set[str]:
    """The elements of a sorting key that are nothing but a column."""
    found = (list(tokens(one)) for one in _elements(key))
    return {words[0].text for words in found if len(words) == 1 and words[0].kind in _NAMES}


def projection_names(create: str) -> Iterator[str]:
    """The projections in a CREATE TABLE; a column of that name stands there quoted."""
    words, depth = list(tokens(create)), 0
    for at, word in enumerate(words[:-1]):
        depth += _DEPTH.get(word.kind, 0)
        if depth == 1 and word.kind == "name" and word.text.upper() == "PROJECTION":
            yield words[at + 1].text


def _elements(text: str) -> Iterator[str]:
    """The pieces between the commas that stand in no parentheses."""
    start = 0
    for word in _outer(list(tokens(text))):
        if word.kind == ",":
            yield text[start : word.start]
            start = word.end
    yield text[start:]


def _outer(words: Sequence[Token]) -> Iterator[Token]:
    """The words that stand in no parentheses."""
    depth = 0
    for word in words:
        depth += _DEPTH.get(word.kind, 0)
        if depth == 0:
            yield word


def _is_head(word: Token) -> bool:
    return word.kind == "name" and word.text.upper() in _CLAUSES
