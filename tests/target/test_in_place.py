"""In place: edges of partitions, old versions, tombstones, keys whose time moved."""

from dataclasses import replace
from typing import Any

import pytest

from tests.target.bench import PATCHES, Bench, at, span
from tests.target.conftest import BOTH_WAYS
from windlass.domain.schema import Removal
from windlass.domain.states import Path

WINDOW = span("2026-02-05", "2026-02-10")
BOTH = [PATCHES, ""]


def publish_twice(bench: Bench, *staged: Any, **more: Any) -> dict[str, int | str]:
    """Publish, look, and publish again: the second time must find nothing to do."""
    first = bench.publish(Path.IN_PLACE, WINDOW, *staged, **more)
    seen = bench.seen("*")
    second = bench.publish(Path.IN_PLACE, WINDOW, *staged, **more)
    assert (second["inserted"], second["stale"]) == (0, 0)
    assert bench.seen("*") == seen
    return dict(first)


@BOTH_WAYS
@pytest.mark.parametrize("settings", BOTH)
def test_the_range_equals_staging_and_the_rest_stays(bench: Bench, settings: str) -> None:
    live = bench.create(settings=settings)
    assert live.removal is (Removal.PATCH if settings else Removal.LIGHTWEIGHT)
    bench.put(
        (1, "before", "2026-02-04T23:59:59.999999", "2026-02-04"),
        (2, "same", "2026-02-05", "2026-02-05"),
        (3, "old", "2026-02-06", "2026-02-06"),
        (4, "gone", "2026-02-07", "2026-02-07"),
        (5, "after", "2026-02-10", "2026-02-10"),
    )
    staged = bench.stage(
        (2, "same", "2026-02-05", "2026-02-05"),
        (3, "new", "2026-02-06", "2026-02-08"),
        (6, "added", "2026-02-09T23:59:59.999999", "2026-02-09"),
    )
    facts = publish_twice(bench, staged)
    assert (facts["inserted"], facts["stale"]) == (2, 1)
    assert bench.seen() == [(1, "before"), (2, "same"), (3, "new"), (5, "after"), (6, "added")]
    assert bench.differing(WINDOW, staged) == []


@BOTH_WAYS
@pytest.mark.parametrize("settings", BOTH)
def test_a_live_version_that_outranks_the_source_goes(bench: Bench, settings: str) -> None:
    bench.create(settings=settings)
    bench.put((1, "999", "2026-02-06", "2030-01-01"))
    bench.put((1, "500", "2026-02-06", "2029-01-01"))
    staged = bench.stage((1, "10", "2026-02-06", "2026-02-06"))
    facts = publish_twice(bench, staged)
    assert facts["stale"] == 2
    assert bench.seen() == [(1, "10")]


@pytest.mark.parametrize("settings", BOTH)
def test_the_same_version_with_other_content_goes(bench: Bench, settings: str) -> None:
    bench.create(settings=settings)
    staged = bench.stage((1, "right", "2026-02-06", "2026-02-06"))
    bench.put((1, "right", "2026-02-06", "2026-02-06"))
    bench.put((1, "wrong", "2026-02-06", "2026-02-06"))
    assert bench.seen() == [(1, "wrong")]
    publish_twice(bench, staged)
    assert bench.seen() == [(1, "right")]


@pytest.mark.parametrize("settings", BOTH)
def test_all_versions_of_a_stale_key_go(bench: Bench, settings: str) -> None:
    bench.create(settings=settings)
    for day in ("06", "07", "08"):
        bench.put((1, f"v{day}", "2026-02-06", f"2026-02-{day}"))
    publish_twice(bench, bench.stage())
    assert bench.seen() == []
    assert bench.rows(f"SELECT count() FROM {bench.ref}") == [(0,)]


@BOTH_WAYS
@pytest.mark.parametrize("settings", BOTH)
def test_an_older_row_in_another_partition_does_not_rise(bench: Bench, settings: str) -> None:
    """The key's time moved from January to February; then the source deleted it."""
    bench.create(settings=settings)
    bench.put((1, "january", "2026-01-05", "2026-01-05"))
    bench.put((1, "february", "2026-02-06", "2026-02-06"))
    bench.put((2, "stays", "2026-01-05", "2026-01-05"))
    facts = publish_twice(bench, bench.stage())
    assert facts["buried"] == 1
    assert bench.seen() == [(2, "stays")]


@pytest.mark.parametrize("settings", BOTH)
def test_no_older_row_rises_over_the_source_s_either(bench: Bench, settings: str) -> None:
    """What outranks the source goes; what ranked between the two lies outside the range."""
    bench.create(settings=settings)
    bench.put((1, "between", "2026-01-05", "2026-01-05"))
    bench.put((1, "outranks", "2026-02-06", "2030-01-01"))
    staged = bench.stage((1, "right", "2026-02-06", "2026-01-01"))
    facts = publish_twice(bench, staged)
    assert (facts["stale"], facts["buried"]) == (1, 1)
    assert bench.seen() == [(1, "right")]


def test_nor_after_a_swap(bench: Bench) -> None:
    bench.create()
    bench.put((1, "between", "2026-01-05", "2026-01-05"))
    bench.put((1, "outranks", "2026-02-06", "2030-01-01"))
    staged = bench.stage((1, "right", "2026-02-06", "2026-01-01"))
    bench.publish(Path.SWAP, span("2026-02-01", "2026-03-01"), staged)
    assert bench.seen() == [(1, "right")]


def test_a_swap_lays_no_older_row_bare_either(bench: Bench) -> None:
    bench.create()
    bench.put((1, "january", "2026-01-05", "2026-01-05"))
    bench.put((1, "february", "2026-02-06", "2026-02-06"))
    staged = bench.stage((2, "new", "2026-02-06", "2026-02-06"))
    bench.publish(Path.SWAP, span("2026-02-01", "2026-03-01"), staged)
    assert bench.seen() == [(2, "new")]


def test_a_hidden_row_whose_successor_stays_is_left_alone(bench: Bench) -> None:
    bench.create()
    bench.put((1, "january", "2026-01-05", "2026-01-05"))
    bench.put((1, "february", "2026-02-06", "2026-02-06"))
    publish_twice(bench, bench.stage((1, "february", "2026-02-06", "2026-02-06")))
    assert bench.rows(f"SELECT count() FROM {bench.ref}") == [(2,)]
    assert bench.seen() == [(1, "february")]


@BOTH_WAYS
@pytest.mark.parametrize("settings", BOTH)
def test_the_same_key_under_another_sorting_key_goes(bench: Bench, settings: str) -> None:
    bench.create(order="(t, k)", settings=settings)
    bench.put((1, "row", "2026-02-06", "2026-02-06"))
    staged = bench.stage((1, "row", "2026-02-07", "2026-02-07"))
    publish_twice(bench, staged)
    assert bench.seen("k, toString(t)") == [(1, "2026-02-07 00:00:00.000000")]


def test_rows_newer_than_the_snapshot_stay(bench: Bench) -> None:
    bench.create()
    bench.put((1, "live", "2026-02-06", "2026-02-09"), (2, "stale", "2026-02-06", "2026-02-07"))
    staged = bench.stage((1, "snapshot", "2026-02-06", "2026-02-06"))
    publish_twice(bench, staged, newer_than=at("2026-02-08"))
    assert bench.seen() == [(1, "live")]


@BOTH_WAYS
def test_tombstones_where_the_table_has_them(bench: Bench) -> None:
    bench = replace(bench, columns={**bench.columns})
    live = bench.create("ReplacingMergeTree(v, gone)", settings="", extra=", gone UInt8 DEFAULT 0")
    assert live.removal is Removal.TOMBSTONE
    bench.put((1, "january", "2026-01-05", "2026-01-05"))
    bench.put((1, "stale", "2026-02-06", "2026-02-06"), (2, "outranks", "2026-02-06", "2030-01-01"))
    bench.put((3, "same", "2026-02-06", "2026-02-06"))
    staged = bench.stage(
        (2, "right", "2026-02-06", "2026-02-06"), (3, "same", "2026-02-06", "2026-02-06")
    )
    publish_twice(bench, staged)
    assert bench.seen() == [(2, "right"), (3, "same")]
    again = bench.stage((1, "stale", "2026-02-06", "2026-02-06"))
    publish_twice(bench, again)
    assert bench.seen() == [(1, "stale")], "a key that the source gives again comes back"


@BOTH_WAYS
@pytest.mark.parametrize("partition", ["", "toDate(t)", "(toYYYYMM(t), k % 2)", "k % 3"])
def test_any_partition_key(bench: Bench, partition: str) -> None:
    bench.create(partition=partition)
    bench.put(*[(k, "old", f"2026-02-{k:02}", "2026-01-01") for k in range(1, 20)])
    staged = bench.stage(*[(k, "new", f"2026-02-{k:02}", "2026-02-20") for k in range(5, 9)])
    publish_twice(bench, staged)
    want = [(k, "new" if 5 <= k < 9 else "old") for k in range(1, 20) if k != 9]
    assert bench.seen() == want


@pytest.mark.parametrize("projection", ["", ", PROJECTION p (SELECT * ORDER BY t)"])
def test_projections_do_not_stop_it(bench: Bench, projection: str) -> None:
    settings = f"{PATCHES}, deduplicate_merge_projection_mode = 'rebuild'"
    live = bench.create(settings=settings, extra=projection)
    assert live.removal is (Removal.LIGHTWEIGHT if projection else Removal.PATCH)
    bench.put((1, "stale", "2026-02-06", "2026-02-06"), (2, "stays", "2026-02-11", "2026-02-11"))
    publish_twice(bench, bench.stage((3, "new", "2026-02-06", "2026-02-06")))
    assert bench.seen() == [(2, "stays"), (3, "new")]
