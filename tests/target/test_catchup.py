"""Catch-up: changed rows come, keys that belong elsewhere go; twice is the same as once."""

from typing import Any

import pyarrow as pa
import pytest

from tests.target.bench import PATCHES, Bench, span
from tests.target.conftest import BOTH_WAYS
from windlass.domain.states import Path

WINDOW = span("2026-02-05", "2026-02-10")
BOTH = [PATCHES, ""]


def apply_twice(
    bench: Bench,
    upsert: list[tuple[Any, ...]],
    remove: list[str],
    path: Path = Path.IN_PLACE,
    *,
    exact: bool = False,
) -> None:
    """Apply, and apply again in another attempt."""
    rows = pa.Table.from_batches([bench.batch(upsert)]) if upsert else None
    keys = pa.table({"k": remove}) if remove else None
    for _ in range(2):
        bench.target.apply(
            bench.live,
            bench.piece(WINDOW),
            bench.pairs,
            bench.plan(path),
            rows,
            keys,
            bench.attempt("settle"),
            exact=exact,
        )


@BOTH_WAYS
@pytest.mark.parametrize("settings", BOTH)
def test_versions(bench: Bench, settings: str) -> None:
    bench.create(settings=settings)
    bench.put((1, "old", "2026-02-06", "2026-02-06"), (2, "goes", "2026-02-06", "2026-02-06"))
    bench.put((2, "older", "2026-01-06", "2026-01-06"), (3, "stays", "2026-02-06", "2026-02-06"))
    bench.put(
        (5, "newer here", "2026-02-06", "2026-02-09"), (6, "outside", "2026-02-11", "2026-02-09")
    )
    apply_twice(
        bench,
        [
            (1, "new", "2026-02-06", "2026-02-07"),
            (4, "added", "2026-02-06", "2026-02-07"),
            (5, "read before", "2026-02-06", "2026-02-08"),
        ],
        ["2", "6", "77"],
    )
    assert bench.seen() == [
        (1, "new"),
        (3, "stays"),
        (4, "added"),
        (5, "newer here"),
        (6, "outside"),
    ]


@BOTH_WAYS
@pytest.mark.parametrize("settings", BOTH)
def test_a_key_whose_sorting_key_moved(bench: Bench, settings: str) -> None:
    bench.create(order="(t, k)", settings=settings)
    bench.put((1, "old", "2026-02-06", "2026-02-06"), (2, "stays", "2026-02-06", "2026-02-06"))
    apply_twice(bench, [(1, "new", "2026-02-08", "2026-02-07")], [])
    assert bench.seen() == [(1, "new"), (2, "stays")]


@BOTH_WAYS
@pytest.mark.parametrize("settings", BOTH)
@pytest.mark.parametrize("engine", ["MergeTree", "ReplacingMergeTree"])
def test_without_versions(bench: Bench, engine: str, settings: str) -> None:
    bench.create(engine, settings=settings)
    bench.put((1, "old", "2026-02-06", "2026-02-06"), (2, "same", "2026-02-06", "2026-02-06"))
    bench.put((3, "goes", "2026-02-06", "2026-02-06"), (4, "stays", "2026-02-06", "2026-02-06"))
    if engine == "MergeTree":
        bench.put((2, "same", "2026-02-06", "2026-02-06"))
    apply_twice(
        bench,
        [(1, "new", "2026-02-06", "2026-02-07"), (2, "same", "2026-02-06", "2026-02-06")],
        ["3"],
        Path.DELETE_AND_INSERT,
    )
    assert bench.seen() == [(1, "new"), (2, "same"), (4, "stays")]


@BOTH_WAYS
def test_tombstones(bench: Bench) -> None:
    bench.create("ReplacingMergeTree(v, gone)", settings="", extra=", gone UInt8 DEFAULT 0")
    bench.put((1, "goes", "2026-02-06", "2026-02-06"), (2, "stays", "2026-02-06", "2026-02-06"))
    bench.put((1, "older", "2026-01-06", "2026-01-06"))
    apply_twice(bench, [], ["1"])
    assert bench.seen() == [(2, "stays")]
    apply_twice(bench, [(1, "back", "2026-02-06", "2026-02-06")], [])
    assert bench.seen() == [(1, "back"), (2, "stays")]


@pytest.mark.parametrize("settings", BOTH)
@pytest.mark.parametrize("order", ["k", "(t, k)"])
def test_exactly_these_rows(bench: Bench, settings: str, order: str) -> None:
    """Versions that outrank the source go, and nothing else."""
    bench.create(order=order, settings=settings)
    bench.put((1, "outranks", "2026-02-06", "2026-02-20"), (2, "stays", "2026-02-06", "2026-02-20"))
    bench.put((1, "elsewhere", "2026-02-08", "2026-02-19"))
    apply_twice(bench, [(1, "true", "2026-02-06", "2026-02-07")], [], exact=True)
    assert bench.seen() == [(1, "true"), (2, "stays")]


def test_a_row_under_a_tombstone_comes_back(bench: Bench) -> None:
    """It is there already, hidden: without force nothing would be done."""
    bench.create("ReplacingMergeTree(v, gone)", settings="", extra=", gone UInt8 DEFAULT 0")
    row = (1, "back", "2026-02-06", "2026-02-06")
    bench.put(row)
    apply_twice(bench, [], ["1"])
    assert bench.seen() == []
    apply_twice(bench, [row], [], exact=True)
    assert bench.seen() == [(1, "back")]


def test_staged_keys(bench: Bench) -> None:
    bench.create()
    one = bench.stage((1, "a", "2026-02-06", "2026-02-06"), (2, "b", "2026-02-06", "2026-02-06"))
    other = bench.stage((2, "c", "2026-02-07", "2026-02-06"), (3, "d", "2026-02-07", "2026-02-06"))
    found = bench.target.staged_keys(
        bench.live,
        bench.piece(WINDOW),
        bench.pairs,
        [one, other],
        pa.table({"k": ["2", "3", "4"]}),
        bench.attempt("settle"),
    )
    assert sorted(found["k"].to_pylist()) == ["2", "2", "3"]
