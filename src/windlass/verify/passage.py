"""How one non-NULL value travels, and the literals that rules are written with.

Templates hold `{c}` and no other brace, and neither `%` nor `?` nor a bare `:name`, so that any
client library passes them on unchanged.
"""

from collections.abc import Callable
from dataclasses import dataclass

from windlass.verify.chtype import ChType
from windlass.verify.pgtype import PgType


@dataclass(frozen=True)
class Hazard:
    """A PostgreSQL condition over `{c}`, true for values that do not fit, and why they do not.

    It never raises, whatever the value; on NULL it is NULL or false.
    """

    sql: str
    reason: str


@dataclass(frozen=True)
class Plain:
    """The value itself rather than its text, of one type on the target and in Arrow: hashing it
    costs a fraction. NULL in, NULL out; `zero` is what stands beside the flag of a NULL.

    Values whose texts are equal are equal here too, and the other way round.
    """

    target: str
    arrow: str
    zero: str = "0"


@dataclass(frozen=True)
class Passage:
    """The expressions for a value that is not NULL; NULLs are wrapped around them later.

    `source` is strict (NULL in, NULL out) and never raises. `target` and `arrow` see a column
    that is not Nullable. Without `plain`, fingerprints are taken of the texts.
    """

    read: str
    source: str
    target: str
    arrow: str
    hazards: tuple[Hazard, ...] = ()
    plain: Plain | None = None


Rule = Callable[[PgType, ChType], Passage]
Rules = dict[tuple[str, str], Rule]

AS_TEXT = "({c})::text"


def or_text(source: str, hazards: tuple[Hazard, ...]) -> str:
    """The text `source`, but PostgreSQL's own for a value that a hazard finds: where the target
    rounds, a rounded source text would make the two look equal. Nor are casts that raise tried."""
    if not hazards:
        return source
    found = " or ".join(f"({hazard.sql})" for hazard in hazards)
    return f"case when {found} then ({{c}})::text else {source} end"


def pg_literal(text: str) -> str:
    """A PostgreSQL string literal without braces, percent signs, question marks or backslashes."""
    if all(char not in "{}%?\\:" and char >= " " for char in text):
        return "'" + text.replace("'", "''") + "'"
    escaped = "".join(_unicode_escape(char) for char in text)
    return f"U&'{escaped}'"


def _unicode_escape(char: str) -> str:
    plain = char.isascii() and (char.isalnum() or char in " _-.,")
    return char if plain else f"\\+{ord(char):06x}"
