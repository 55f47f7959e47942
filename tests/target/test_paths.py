"""Delete and insert, append, delete: each path, each run twice."""

from dataclasses import replace

import pytest

from tests.target.bench import PATCHES, Bench, span
from tests.target.conftest import BOTH_WAYS
from windlass.domain.errors import StagingGoneError
from windlass.domain.states import Path

WINDOW = span("2026-02-05", "2026-02-10")
BOTH = [PATCHES, ""]
ENGINES = ["MergeTree", "ReplacingMergeTree"]


@BOTH_WAYS
@pytest.mark.parametrize("settings", BOTH)
@pytest.mark.parametrize("engine", ENGINES)
def test_delete_and_insert(bench: Bench, engine: str, settings: str) -> None:
    bench.create(engine, settings=settings)
    bench.put((1, "before", "2026-02-04", "2026-02-04"), (2, "old", "2026-02-06", "2026-02-06"))
    bench.put((2, "double", "2026-02-06", "2026-02-06"), (3, "after", "2026-02-10", "2026-02-10"))
    staged = bench.stage(
        (2, "new", "2026-02-06", "2026-02-08"), (4, "x", "2026-02-09", "2026-02-09")
    )
    for _ in range(2):
        facts = bench.publish(Path.DELETE_AND_INSERT, WINDOW, staged)
        assert bench.seen() == [(1, "before"), (2, "new"), (3, "after"), (4, "x")]
        assert facts["inserted"] == 2
        assert int(facts["gap_ms"]) >= 0
    assert bench.differing(WINDOW, staged) == []


@BOTH_WAYS
@pytest.mark.parametrize("settings", BOTH)
def test_delete_and_insert_starts_again_where_it_broke_off(bench: Bench, settings: str) -> None:
    """A crash after half of the insert: the range holds some staged rows already."""
    bench.create("MergeTree", partition="toDate(t)", settings=settings)
    staged = bench.stage((1, "a", "2026-02-06", "2026-02-06"), (2, "b", "2026-02-07", "2026-02-07"))
    bench.put((1, "a", "2026-02-06", "2026-02-06"))
    bench.publish(Path.DELETE_AND_INSERT, WINDOW, staged)
    assert bench.seen() == [(1, "a"), (2, "b")]


@BOTH_WAYS
@pytest.mark.parametrize("engine", [*ENGINES, "ReplacingMergeTree(v)"])
def test_append_moves_once(bench: Bench, engine: str) -> None:
    bench.create(engine)
    bench.put((1, "there", "2026-01-05", "2026-01-05"))
    first = bench.stage((2, "a", "2026-01-06", "2026-01-06"), (3, "b", "2026-02-06", "2026-02-06"))
    second = bench.stage((4, "c", "2026-02-07", "2026-02-07"))
    facts = bench.publish(Path.APPEND, span("2026-01-01", "2026-03-01"), first, second)
    assert facts["moved"] == 3
    seen = [(1, "there"), (2, "a"), (3, "b"), (4, "c")]
    assert bench.seen() == seen
    again = bench.publish(Path.APPEND, span("2026-01-01", "2026-03-01"), first, second)
    assert again["moved"] == 0
    assert bench.seen() == seen


@pytest.mark.parametrize("settings", BOTH)
@pytest.mark.parametrize("staged", [True, False])
def test_delete_drops_whole_partitions_and_deletes_edges(
    bench: Bench, settings: str, staged: bool
) -> None:
    bench.create(partition="toDate(t)", settings=settings)
    for day in range(1, 10):
        bench.put((day, "x", f"2026-02-0{day}T06:00:00", "2026-02-01"))
        bench.put((day, "y", f"2026-02-0{day}T06:00:00", "2026-02-02"))
    rows = [bench.stage()] if staged else []
    interval = span("2026-02-03", "2026-02-07T12:00:00")
    for dropped, deleted in ((4, 2), (0, 0)):
        facts = bench.publish(Path.DELETE, interval, *rows)
        assert (facts["dropped"], facts["deleted"]) == (dropped, deleted)
        assert [key for key, _ in bench.seen()] == [1, 2, 8, 9]


@BOTH_WAYS
@pytest.mark.parametrize("path", [Path.SWAP, Path.IN_PLACE, Path.DELETE_AND_INSERT, Path.APPEND])
def test_without_its_staging_an_attempt_changes_nothing(bench: Bench, path: Path) -> None:
    bench.create()
    bench.put((1, "old", "2026-02-06", "2026-02-06"))
    staged = bench.stage((1, "new", "2026-02-06", "2026-02-07"))
    assert bench.target.sweep(staged.attempt) >= 1
    with pytest.raises(StagingGoneError):
        bench.publish(path, span("2026-02-01", "2026-03-01"), staged)
    assert bench.seen() == [(1, "old")]


@BOTH_WAYS
@pytest.mark.parametrize("path", [Path.SWAP, Path.IN_PLACE, Path.DELETE_AND_INSERT])
def test_an_attempt_that_is_swept_meanwhile_stops(bench: Bench, path: Path) -> None:
    """The zombie: its own tables are dropped while it works; whatever it does next must fail."""
    bench.create()
    bench.put((1, "old", "2026-02-06", "2026-02-06"))
    staged = bench.stage((1, "new", "2026-02-06", "2026-02-07"))
    attempt = bench.attempt()

    def sweep(_rows: int) -> None:
        bench.target.sweep(attempt)

    with pytest.raises(StagingGoneError):
        bench.publish(path, span("2026-02-01", "2026-03-01"), staged, attempt=attempt, pulse=sweep)
    assert bench.seen() == [(1, "old")]


NASTY = "we`ird \"na'me\\ $x {c} %s; --"


def test_any_name_works(bench: Bench) -> None:
    columns = {"k`1": "Int64", NASTY: "String", "t 1": "DateTime64(6, 'UTC')", "v": "Int64"}
    nasty = replace(
        bench, table=NASTY, columns=columns, key=("k`1",), time="t 1", database=bench.database
    )
    nasty.create_raw("ENGINE = ReplacingMergeTree(v) PARTITION BY toYYYYMM(`t 1`) ORDER BY `k``1`")
    nasty.put((1, "old", "2026-02-06", 1), (2, "stale", "2026-02-06", 1))
    staged = nasty.stage((1, "new", "2026-02-06", 2))
    nasty.publish(Path.IN_PLACE, WINDOW, staged)
    assert nasty.seen("*") == nasty.seen("*")
    assert [row[1] for row in nasty.seen("*")] == ["new"]
    nasty.put((3, "stale", "2026-02-06", 1))
    nasty.publish(Path.SWAP, span("2026-02-01", "2026-03-01"), staged)
    assert [row[1] for row in nasty.seen("*")] == ["new"]
    assert nasty.differing(WINDOW, staged) == []
    assert nasty.target.count(nasty.live, "t 1", [WINDOW]) == [1]
