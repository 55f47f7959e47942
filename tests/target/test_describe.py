"""DDL read exactly: quoted names, nested parentheses, settings, projections."""

import pytest

from tests.target.bench import PATCHES, Bench
from windlass.domain.schema import Removal
from windlass.target.ddl import (
    clauses,
    engine_arguments,
    plain_elements,
    projection_names,
    settings,
)

ONE_OF_TWO = "SETTINGS enable_block_number_column = 1"


@pytest.mark.parametrize(
    ("engine", "arguments"),
    [
        ("MergeTree ORDER BY k", ()),
        ("ReplacingMergeTree(updated_at) ORDER BY (a, b)", ("updated_at",)),
        ("ReplacingMergeTree(ver, gone) PARTITION BY f(x, 'a)') ORDER BY k", ("ver", "gone")),
        (
            "ReplacingMergeTree(`a\\`b (c, d)`, `is deleted`) ORDER BY k",
            ("a`b (c, d)", "is deleted"),
        ),
        ("ReplicatedReplacingMergeTree('/t/{uuid}/(x)', '{replica}', v) ORDER BY k", ("v",)),
        ("ReplacingMergeTree ORDER BY tuple()", ()),
    ],
)
def test_engine_arguments(engine: str, arguments: tuple[str, ...]) -> None:
    assert engine_arguments(engine) == arguments


def test_clauses_end_where_the_next_begins() -> None:
    full = (
        "MergeTree PARTITION BY (a, f('ORDER BY')) PRIMARY KEY k ORDER BY tuple(k DESC, `TTL`) "
        "TTL t + toIntervalDay(1) SETTINGS b = -2, c = 'x, d = 3' COMMENT 'SETTINGS a = 1'"
    )
    found = clauses(full)
    assert found["PARTITION BY"] == "(a, f('ORDER BY'))"
    assert found["PRIMARY KEY"] == "k"
    assert found["ORDER BY"] == "tuple(k DESC, `TTL`)"
    assert settings(found["SETTINGS"]) == {"b": "-2", "c": "'x, d = 3'"}
    assert clauses("MergeTree ORDER BY f(`SETTINGS`)") == {"ORDER BY": "f(`SETTINGS`)"}


def test_projections_and_columns_called_projection() -> None:
    create = (
        "CREATE TABLE d.t (`projection` String, PROJECTION `p 1` (SELECT a), "
        "PROJECTION q (SELECT b)) ENGINE = MergeTree ORDER BY tuple()"
    )
    assert list(projection_names(create)) == ["p 1", "q"]


def test_plain_elements() -> None:
    assert plain_elements("k, toDate(t), `a, b`, (x, y)") == {"k", "a, b"}
    assert plain_elements("") == set()


def test_a_table_as_the_server_has_it(bench: Bench) -> None:
    live = bench.create(partition="(toYYYYMM(t), k % 2)", order="(k, lower(x))")
    assert (live.engine, live.version, live.is_deleted) == ("ReplacingMergeTree", "v", None)
    assert live.partition_key == "(toYYYYMM(t), k % 2)"
    assert live.sorting_key == "k, lower(x)"
    assert [column.name for column in live.columns] == ["k", "x", "t", "v"]
    assert live.final == "FINAL"


def test_no_table_is_none(bench: Bench) -> None:
    assert bench.target.describe(bench.database, "nothing here") is None
    assert bench.target.describe("no such database", "t") is None


def test_the_hash_follows_the_ddl(bench: Bench) -> None:
    before = bench.create().create_hash
    assert bench.live.create_hash == before
    bench.run(f"ALTER TABLE {bench.ref} ADD COLUMN more UInt8")
    assert bench.live.create_hash != before


@pytest.mark.parametrize(
    ("engine", "settings", "extra", "removal"),
    [
        ("ReplacingMergeTree(v)", PATCHES, "", Removal.PATCH),
        ("ReplacingMergeTree(v)", "", "", Removal.LIGHTWEIGHT),
        (
            "ReplacingMergeTree(v)",
            "SETTINGS enable_block_number_column = 1",
            "",
            Removal.LIGHTWEIGHT,
        ),
        ("ReplacingMergeTree(v, d)", "", ", d UInt8", Removal.TOMBSTONE),
        ("ReplacingMergeTree(v, d)", PATCHES, ", d UInt8", Removal.PATCH),
        ("MergeTree", PATCHES, "", Removal.PATCH),
    ],
)
def test_how_rows_can_leave(
    bench: Bench, engine: str, settings: str, extra: str, removal: Removal
) -> None:
    assert bench.create(engine, settings=settings, extra=extra).removal is removal


def test_databases_are_the_tenants(bench: Bench) -> None:
    bench.create()
    bench.stage()
    names = bench.target.databases()
    assert bench.database in names
    assert "windlass_staging" not in names
    assert "system" not in names
