"""PostgreSQL type names, as `format_type` prints them, sorted into families that travel alike."""

import re
from dataclasses import dataclass

FAMILIES = {
    "smallint": "int2",
    "integer": "int4",
    "bigint": "int8",
    "oid": "oid",
    "real": "float4",
    "double precision": "float8",
    "numeric": "numeric",
    "decimal": "numeric",
    "boolean": "bool",
    "text": "text",
    "character varying": "text",
    "varchar": "text",
    "uuid": "uuid",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
    "date": "date",
    "json": "json",
    "jsonb": "json",
    "bytea": "bytea",
    "inet": "inet",
    "cidr": "inet",
    "int2": "int2",
    "int4": "int4",
    "int8": "int8",
    "float4": "float4",
    "float8": "float8",
    "bool": "bool",
    "timestamptz": "timestamptz",
    "timestamp": "timestamp",
}
"""Every other type (char(n), citext, enum, interval, time, money, ranges, domains, composites) is
of the family `other`: it travels as PostgreSQL's own text."""

_MODIFIER = re.compile(r"\((-?\d+)(?:,(-?\d+))?\)")


@dataclass(frozen=True)
class PgType:
    """A type's family, its modifiers (`numeric(10,2)` has (10, 2)), and for arrays the element."""

    text: str
    family: str
    modifiers: tuple[int, ...] = ()
    element: "PgType | None" = None


def parse(text: str) -> PgType:
    """Sort a type name into its family; a name that is not known is of the family `other`."""
    text = text.strip()
    if text.endswith("[]"):
        return PgType(text, "array", element=parse(text.rstrip("[]")))
    found = _MODIFIER.search(text)
    modifiers = tuple(int(one) for one in found.groups() if one is not None) if found else ()
    bare = " ".join(_MODIFIER.sub(" ", text).split()).lower()
    return PgType(text, FAMILIES.get(bare, "other"), modifiers)
