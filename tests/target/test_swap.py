"""Swap: whole partitions, one at a time, old or new."""

import pytest

from tests.target.bench import STAGING, Bench, ignore, span
from windlass.domain.errors import PlanError
from windlass.domain.plan import GroupTable
from windlass.domain.states import Path
from windlass.target.publish.job import Job
from windlass.target.publish.swap import fit
from windlass.target.slices import View
from windlass.target.staging import StagingArea

FEB = span("2026-02-01", "2026-03-01")


def test_a_partition_becomes_what_was_staged_and_a_repeat_changes_nothing(bench: Bench) -> None:
    bench.create()
    bench.put((1, "old", "2026-02-03", "2026-02-03"), (2, "stale", "2026-02-04", "2026-02-04"))
    bench.put((9, "january", "2026-01-31T23:59:59.999999", "2026-02-04"))
    staged = bench.stage(
        (1, "new", "2026-02-03", "2026-02-05"), (3, "more", "2026-02-28", "2026-02-28")
    )
    for _ in range(2):
        facts = bench.publish(Path.SWAP, FEB, staged)
        assert facts["swapped"] == 1
        assert bench.seen() == [(1, "new"), (3, "more"), (9, "january")]
        assert bench.differing(FEB, staged) == []


def test_windows_of_one_partition_are_put_together_before_the_swap(bench: Bench) -> None:
    bench.create()
    bench.put((1, "old", "2026-02-03", "2026-02-03"))
    first = bench.stage((1, "a", "2026-02-03", "2026-02-05"))
    second = bench.stage((2, "b", "2026-02-20", "2026-02-20"))
    bench.publish(Path.SWAP, FEB, first, second)
    assert bench.seen() == [(1, "a"), (2, "b")]


def test_a_group_of_thousands_of_windows_is_looked_over_in_one_statement(bench: Bench) -> None:
    """It names the staging of each, twice, and may then be longer than servers take."""
    live = bench.create()
    staged = bench.stage((1, "a", "2026-02-03", "2026-02-05"))
    area = StagingArea(bench.server, STAGING)
    view = View.of(live, bench.piece(FEB), bench.pairs)
    group = GroupTable(bench.table, Path.SWAP, (FEB,))
    windows = [staged] * 5_000
    fit(Job(area, view, bench.plan(Path.IN_PLACE), group, windows, bench.attempt(), ignore))


def test_a_partition_that_staging_lacks_is_dropped(bench: Bench) -> None:
    bench.create(partition="toDate(t)")
    bench.put((1, "keep", "2026-02-03", "2026-02-03"), (2, "gone", "2026-02-04", "2026-02-04"))
    staged = bench.stage((1, "keep", "2026-02-03", "2026-02-03"))
    facts = bench.publish(Path.SWAP, FEB, staged)
    assert (facts["swapped"], facts["dropped"]) == (1, 1)
    assert bench.seen() == [(1, "keep")]


def test_edges_of_the_group_take_the_edge_path(bench: Bench) -> None:
    bench.create()
    interval = span("2026-01-20", "2026-02-10")
    whole = [span("2026-01-20", "2026-02-01")]
    bench.create(partition="if(t < toDateTime64('2026-02-01', 6, 'UTC'), 1, 2)")
    bench.put((1, "before", "2026-01-19", "2026-01-19"), (2, "old", "2026-01-25", "2026-01-25"))
    with pytest.raises(PlanError, match="cannot be swapped"):
        bench.publish(Path.SWAP, interval, bench.stage(), whole=whole)
    bench.create(partition="toDate(t)")
    bench.put((1, "before", "2026-01-19", "2026-01-19"), (2, "old", "2026-01-25", "2026-01-25"))
    bench.put(
        (3, "old", "2026-02-09T01:00:00", "2026-02-09"), (4, "after", "2026-02-10", "2026-02-10")
    )
    interval = span("2026-01-20", "2026-02-09T12:00:00")
    staged = bench.stage(
        (2, "new", "2026-01-25", "2026-01-26"), (3, "new", "2026-02-09T01:00:00", "2026-02-10")
    )
    facts = bench.publish(Path.SWAP, interval, staged)
    assert facts["edge_path"] == "in place"
    assert facts["swapped"] == 1
    assert bench.seen() == [(1, "before"), (2, "new"), (3, "new"), (4, "after")]
    assert bench.differing(interval, staged) == []
