"""Names and values as SQL text, quoted by psycopg. Nothing else here turns text into SQL.

ADBC streams by COPY, and COPY takes no bound parameters: values have to be part of the text.
Statements built here are sent without parameters, so that a percent sign stays one.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from psycopg import sql


def ident(name: str) -> str:
    """A name in double quotes, as it is."""
    return sql.Identifier(name).as_string(None)


def literal(value: str | int) -> str:
    """A string without a type of its own (PostgreSQL coerces it to its neighbour's), or an int."""
    return sql.Literal(value).as_string(None).strip()


def text_array(values: Sequence[str]) -> str:
    """A text[] of these values."""
    return f"{literal_list(values)}::text[]"


def literal_list(values: Sequence[str]) -> str:
    """An array literal without a type of its own."""
    return sql.Literal(list(values)).as_string(None).strip() if values else "'{}'"


def instant(moment: datetime) -> str:
    """An instant as UTC text without zone, to the microsecond, unquoted."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
