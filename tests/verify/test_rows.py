"""Whole rows through both real servers: any name, any mix of types, no row like another."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from windlass.domain.schema import ColumnPair, SourceColumn, TargetColumn
from windlass.verify import canonical
from windlass.verify.pairs import match

from .servers import TABLE, Servers, carry, hazard_sql, quoted, source_column, target_column

NAMES = ('quo"ted', "{c}", "100%", "e", "u", "t", "a b", "select", "ключ", "x?", ":y", "a.b", "'")


def _matched(columns: list[tuple[str, str, str]]) -> tuple[ColumnPair, ...]:
    found = match(
        [SourceColumn(name, kind) for name, kind, _ in columns],
        [TargetColumn(name, kind) for name, _, kind in columns],
    )
    assert found.refusals == ()
    return found.pairs


def _create(servers: Servers, columns: list[tuple[str, str, str]]) -> None:
    servers.run("drop table if exists proof.t")
    listed = ", ".join(f"{quoted(name)} {kind}" for name, kind, _ in columns)
    servers.run(f"create table proof.t ({listed})")


def _prove(servers: Servers, columns: list[tuple[str, str, str]], rows: int) -> None:
    """All rows but the hazardous ones arrive equal."""
    pairs = _matched(columns)
    found = carry(servers, pairs, f"not {hazard_sql(pairs)}")
    assert found.source == found.target
    assert found.arrow == found.staged
    assert int(found.source[0]) <= rows


def test_any_name_works(servers: Servers) -> None:
    kinds = [("integer[]", "Array(Int32)"), ("text", "Nullable(String)"), ("bigint", "Int64")]
    columns = [(name, *kinds[at % len(kinds)]) for at, name in enumerate(NAMES)]
    _create(servers, columns)
    values = [("'{1,2}'", "'x|y'", "7")[at % len(kinds)] for at in range(len(NAMES))]
    servers.run(f"insert into proof.t values ({', '.join(values)})")
    _prove(servers, columns, 1)
    [[count]] = servers.query(f"select count() from {TABLE}")
    assert count == "1"


def test_no_rows_have_equal_digests(servers: Servers) -> None:
    columns = [("a", "text", "String"), ("b", "integer[]", "Array(Int32)")]
    _create(servers, columns)
    _prove(servers, columns, 0)
    pairs = _matched(columns)
    [row] = servers.rows(f"select {canonical.source_digest(pairs, source_column)} from proof.t t")
    assert row == (0, "0")


def test_rows_that_look_alike_differ(servers: Servers) -> None:
    columns = [(name, "text", "Nullable(String)") for name in ("a", "b")]
    columns.append(("c", "text[]", "Array(Nullable(String))"))
    _create(servers, columns)
    rows = [
        ("'x'", "'y'", "'{}'"),
        ("'x|1:y'", "''", "'{}'"),
        ("'x'", "null", "'{}'"),
        ("'x'", "'N'", "'{}'"),
        ("'x'", "'N'", "'{\"\"}'"),
        ("'x'", "'N'", "'{NULL}'"),
        ("'x'", "'N'", "'{N}'"),
        ("'x'", "'N'", "'{\"N,1:N\"}'"),
        ("'x'", "'N'", "'{N,N}'"),
        ("'x'", "''", "'{\"|\"}'"),
        ("'xy'", "''", "'{}'"),
        ("''", "'xy'", "'{}'"),
    ]
    for row in rows:
        servers.run(f"insert into proof.t values ({', '.join(row)})")
    pairs = _matched(columns)
    found = servers.rows(f"select {canonical.source_hash(pairs, source_column)} from proof.t t")
    assert len({value for (value,) in found}) == len(rows)
    _prove(servers, columns, len(rows))
    [[texts]] = servers.query(
        f"select uniqExact({canonical.target_row(pairs, target_column)}) from {TABLE}"
    )
    assert texts == str(len(rows))


def test_the_hash_of_a_row_is_the_same_number(servers: Servers) -> None:
    columns = [("i", "integer", "Int32"), ("a", "text", "String")]
    _create(servers, columns)
    servers.run("insert into proof.t select i, repeat('é', i) from generate_series(1, 50) i")
    _prove(servers, columns, 50)
    pairs = _matched(columns)
    source = servers.rows(
        f"select i, {canonical.source_hash(pairs, source_column)} from proof.t t order by i"
    )
    target = servers.query(
        f"select i, {canonical.target_hash(pairs, target_column)} from {TABLE} order by i"
    )
    assert [[str(one) for one in row] for row in source] == target


def test_hundreds_of_columns(servers: Servers) -> None:
    columns = [(f"c{at}", "text", "Nullable(String)") for at in range(800)]
    _create(servers, columns)
    servers.run("insert into proof.t (c0, c799) values ('a', 'b')")
    _prove(servers, columns, 1)


INSTANTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31))
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
NUMBERS = (
    st.decimals(allow_nan=False, allow_infinity=False)
    | st.decimals(-(10**9), 10**9, places=3)
    | st.sampled_from([Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity")])
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "small": st.integers(-(2**15), 2**15 - 1),
            "big": st.integers(-(2**63), 2**63 - 1) | st.integers(-300, 300),
            "double": st.floats(),
            "real": st.floats(width=32),
            "text": TEXTS,
            "bytes": st.binary(max_size=12),
            "at": INSTANTS,
            "day": st.dates(),
            "exact": NUMBERS,
            "uuid": st.uuids(),
            "yes": st.booleans(),
            "ints": st.lists(st.integers(-(2**31), 2**31 - 1), max_size=4),
            "texts": st.lists(st.none() | TEXTS, max_size=4),
            "doubles": st.lists(st.none() | st.floats(), max_size=4),
            "ats": st.lists(INSTANTS, max_size=3),
        },
    ),
    max_size=60,
)
RAW = {
    "small": "smallint",
    "big": "bigint",
    "double": "double precision",
    "real": "real",
    "text": "text",
    "bytes": "bytea",
    "at": "timestamp with time zone",
    "day": "date",
    "exact": "text",
    "uuid": "text",
    "yes": "boolean",
    "ints": "integer[]",
    "texts": "text[]",
    "doubles": "double precision[]",
    "ats": "timestamp with time zone[]",
}
KINDS = {
    "small": ("smallint", ("Int16", "Nullable(Int8)", "Nullable(UInt64)", "Nullable(Float32)")),
    "big": ("bigint", ("Nullable(Int64)", "Int32", "UInt64", "Nullable(Float64)", "UInt8")),
    "double": ("double precision", ("Nullable(Float64)", "Float32", "String")),
    "real": ("real", ("Float32", "Nullable(Float64)", "String")),
    "text": ("text", ("LowCardinality(Nullable(String))", "String", "Nullable(FixedString(6))")),
    "bytes": ("bytea", ("Nullable(String)", "FixedString(3)")),
    "at": (
        "timestamp with time zone",
        ("Nullable(DateTime64(6))", "DateTime64(3)", "DateTime('Asia/Tokyo')", "DateTime64(9)"),
    ),
    "day": ("date", ("Nullable(Date32)", "Date", "String")),
    "exact": ("numeric", ("Nullable(Decimal(20, 5))", "Decimal(9, 0)", "Int64", "Float64")),
    "uuid": ("uuid", ("Nullable(UUID)", "UUID", "String")),
    "yes": ("boolean", ("Nullable(Bool)", "UInt8")),
    "ints": ("integer[]", ("Array(Int32)", "Array(UInt8)", "Nullable(String)")),
    "texts": ("text[]", ("Array(Nullable(String))", "Array(String)")),
    "doubles": ("double precision[]", ("Array(Nullable(Float64))", "Array(Float32)")),
    "ats": ("timestamp with time zone[]", ("Array(DateTime64(6))", "Array(DateTime)")),
}


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    if name == "ats":
        return [one.replace(tzinfo=UTC) for one in value or []]
    return str(value) if name in {"exact", "uuid"} and value is not None else value


def _load(servers: Servers, rows: list[dict[str, Any]]) -> None:
    written = ({name: _plain(name, row.get(name)) for name in RAW} for row in rows)
    servers.write("proof.raw", RAW, written)


@pytest.mark.parametrize("name", list(KINDS))
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=ROWS)
def test_any_value_arrives_equal_or_is_a_hazard(
    servers: Servers, name: str, rows: list[dict[str, Any]]
) -> None:
    _load(servers, rows)
    kind, targets = KINDS[name]
    column = quoted(name)
    servers.run("drop table if exists proof.t")
    servers.run(f"create table proof.t as select {column}::{kind} as {column} from proof.raw")
    for target in targets:
        _prove(servers, [(name, kind, target)], len(rows))


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=ROWS)
def test_whole_rows_arrive_equal(servers: Servers, rows: list[dict[str, Any]]) -> None:
    _load(servers, rows)
    columns = [(name, kind, targets[0]) for name, (kind, targets) in KINDS.items()]
    listed = ", ".join(f"{quoted(name)}::{kind}" for name, kind, _ in columns)
    servers.run("drop table if exists proof.t")
    servers.run(f"create table proof.t as select {listed} from proof.raw")
    _prove(servers, columns, len(rows))
