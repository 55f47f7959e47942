"""docs/types.md, written from the table itself.

`python -m windlass.verify.typesdoc > docs/types.md`
"""

import re
import sys
from collections.abc import Iterator

from windlass.domain.schema import ColumnPair, SourceColumn, TargetColumn
from windlass.verify.pairs import SESSION, pair
from windlass.verify.rules import RULES

FAMILY_TYPES = {
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "oid": "oid",
    "float4": "real",
    "float8": "double precision",
    "numeric": "numeric",
    "bool": "boolean",
    "text": "text",
    "uuid": "uuid",
    "timestamptz": "timestamp with time zone",
    "timestamp": "timestamp without time zone",
    "date": "date",
    "json": "jsonb",
    "bytea": "bytea",
    "inet": "inet",
    "array": "integer[]",
    "other": "interval",
}
"""One type of each family; what the others of the family are stands in `_FAMILY_NAMES`."""

_FAMILY_NAMES = {
    "text": "text, varchar",
    "json": "json, jsonb",
    "inet": "inet, cidr",
    "array": "any array",
    "other": "any other type",
    "timestamptz": "timestamptz",
    "timestamp": "timestamp",
}
_EXAMPLES = {
    "Decimal": "Decimal(18, 4)",
    "FixedString": "FixedString(36)",
    "DateTime64": "DateTime64(3)",
    "Enum8": "Enum8('a' = 1, 'b' = 2)",
    "Enum16": "Enum16('a' = 1, 'b' = 2)",
}
_HEAD = """# Which types go where

<!-- Written by `python -m windlass.verify.typesdoc`; a test fails when it is not current. -->

Columns match by exact name. Each line below is a proven pair: tests write edge values and
generated values into a real PostgreSQL, read them through the driver, insert them into the real
ClickHouse engine, and compare PostgreSQL's own MD5 of every value with ClickHouse's. A pair that
is not here is refused at plan time: cast it in the SELECT of `from:` to a type that is.

- **Values that do not fit** park the window before anything is published, with the number of rows.
  They are never rounded, wrapped, cut or filled in.
- **Nullable and LowCardinality** around a ClickHouse type change nothing, but NULL fits only into
  a Nullable column.
- **Arrays** of one dimension go into `Array(T)` when their elements' pair is listed. PostgreSQL
  does not keep dimensions in the type, so each value with more than one is found and counted. So
  are NULL arrays (`Array` cannot be NULL) and NULL elements where `T` is not Nullable. Lower
  bounds other than 1 are not kept.
- **Any other type** (char(n), citext, hstore, enums, domains, interval, time, money, xml, ranges,
  composites, bit strings, network and geometric types, tsvector …) travels as PostgreSQL's own
  text. char(n) loses its padding, as it does in PostgreSQL when it becomes text. A domain does
  too: to carry its number as a number, cast it to its base type.
- **timestamp** without zone is read as UTC. The zone of a DateTime column changes how it is shown,
  not what it holds.
- **-0.0** counts as equal to 0.0 and every NaN to every other, as in both databases.
- Decimal32, Decimal64, Decimal128 and Decimal256 are Decimal with 9, 18, 38 and 76 digits.
- The source database must be encoded in UTF-8, on PostgreSQL 13 or newer.

The same values gave the same digests on ClickHouse 25.5, 25.8, 26.1, 26.3, 26.7 and 26.9. Releases
before 26.5 refuse or reorder UUIDs that come as sixteen bytes, so they are sent text. One release,
26.5.1, reads NULL into `LowCardinality(Nullable(T))` as an empty value: windows with such NULLs
park there as a mismatch, and nothing of them is published.

What `read` says is what PostgreSQL is asked for: `c` is read as it is by binary COPY. FixedString,
Decimal, DateTime64 and enums stand with example arguments.

"""
_REFUSED = """
## Refused, and why

| ClickHouse type | why |
|---|---|
| Map | the order and repeated keys of a map have no equal in PostgreSQL: use String |
| Tuple, Nested, geometric types | no proven way in: use String, or a column for each field |
| JSON | it rewrites numbers and drops nulls, so what it holds is another text: use String |
| Variant, Dynamic | which type a value becomes is not the source's to say |
| Array(Array(T)) | PostgreSQL does not keep dimensions in the type: use String |
| AggregateFunction, SimpleAggregateFunction | states are not values of the source |
| Time, Time64, Interval… | use String |
"""


def document() -> str:
    """The whole page."""
    return _HEAD + "\n".join(_lines()) + "\n" + _REFUSED + _settings()


def _lines() -> Iterator[str]:
    yield "| PostgreSQL | ClickHouse | read | what does not fit, besides NULL |"
    yield "|---|---|---|---|"
    for family, kind in FAMILY_TYPES.items():
        rows: dict[tuple[str, str], list[str]] = {}
        for name in (name for of, name in RULES if of == family):
            found = example(family, name)
            rows.setdefault((found.read, _reason(found)), []).append(found.target_type)
        for (read, reason), targets in rows.items():
            listed = ", ".join(f"`{target}`" for target in targets)
            shown = _FAMILY_NAMES.get(family, kind)
            yield f"| {shown} | {listed} | `{read.replace('{c}', 'c')}` | {reason or '–'} |"


def _reason(found: ColumnPair) -> str:
    """The reason in words that fit all types of a kind, so that they share a line."""
    kind = found.target_type.split("(")[0]
    if not kind.startswith(("Int", "UInt", "Enum")):
        return found.hazard_reason
    said = re.sub(r" \(-?\d+ to \d+\)", "", found.hazard_reason)
    said = said.replace(f"outside {kind}", "outside its range")
    return said.replace(f"name of {kind}", "name of the enum").replace(kind, "an integer")


def example(family: str, name: str) -> ColumnPair:
    """A pair of that family and ClickHouse type, with a source that cannot be NULL."""
    source = SourceColumn("c", FAMILY_TYPES[family], nullable=False)
    return pair(source, TargetColumn("c", _EXAMPLES.get(name, name)))


def _settings() -> str:
    listed = "\n".join(f"| {name} | `{value}` |" for name, value in SESSION.items())
    return (
        "\n## Settings of every reading session\n\nThey decide what PostgreSQL's own text of a "
        f"value is.\n\n| setting | value |\n|---|---|\n{listed}\n"
    )


if __name__ == "__main__":
    sys.stdout.write(document())
