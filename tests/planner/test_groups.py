"""Publish groups: windows that share a whole partition become visible together."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.domain.errors import UsageError
from windlass.domain.plan import WindowPlan
from windlass.domain.states import Mode, Path
from windlass.domain.window import Interval
from windlass.planner import groups

ORIGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def days(first: int, last: int) -> Interval:
    return Interval(ORIGIN + first * DAY, ORIGIN + last * DAY)


def plans(*cuts: int, rows: int = 10) -> list[WindowPlan]:
    return [WindowPlan(f"w{a}", days(a, b), rows) for a, b in itertools.pairwise(cuts)]


JANUARY = {"score": [days(0, 31)]}
EDGES = {"score": Path.IN_PLACE}


def test_a_partition_binds_its_windows_and_an_edge_stands_alone() -> None:
    made = groups.plan_groups("db", plans(0, 10, 20, 30, 40, 50), JANUARY, EDGES, Mode.REPLACE)
    assert [len(group.windows) for group in made] == [4, 1]
    assert [group.tables[0].path for group in made] == [Path.SWAP, Path.IN_PLACE]
    assert made[0].tables[0].whole == (days(0, 31),)


def test_append_binds_nothing() -> None:
    made = groups.plan_groups("db", plans(0, 10, 20), JANUARY, EDGES, Mode.APPEND)
    assert [group.tables[0].path for group in made] == [Path.APPEND, Path.APPEND]


def test_two_tables_with_different_partitions_share_only_common_bounds() -> None:
    whole = {"scorecard": [days(0, 31), days(31, 59)], "score": [days(0, 59)]}
    assert groups.common_bounds(whole) == [ORIGIN, ORIGIN + 59 * DAY]


def test_over_large_groups_name_the_bounds_to_cut_at() -> None:
    windows = plans(0, 25, 50, rows=groups.GROUP_ROWS)
    whole = {"score": [days(0, 31), days(31, 50)]}
    bound = groups.bind(windows, whole)
    assert groups.cuts_for_large(bound, whole) == [ORIGIN + 31 * DAY]


def many(count: int) -> list[WindowPlan]:
    """So many windows of equal length over fifty days."""
    edges = [ORIGIN + n * 50 * DAY / count for n in range(count + 1)]
    return [
        WindowPlan(f"w{n}", Interval(*both), 1) for n, both in enumerate(itertools.pairwise(edges))
    ]


def test_groups_of_many_windows_are_cut_though_they_are_small() -> None:
    whole = {"score": [days(0, 31), days(31, 50)]}
    some, more = (groups.bind(many(n), whole) for n in (997, 1_003))
    assert [len(group) for group in (*some, *more)] == [997, 1_003], "one window straddles"
    assert groups.cuts_for_large(some, whole) == []
    assert groups.cuts_for_large(more, whole) == [ORIGIN + 31 * DAY]


@pytest.mark.parametrize(("tables", "most"), [(1, 2_800), (8, 2_800), (12, 2_000)])
def test_more_windows_than_can_be_kept_track_of_are_refused(tables: int, most: int) -> None:
    whole = {f"t{n}": [days(0, 50)] for n in range(tables)}
    edges = dict.fromkeys(whole, Path.IN_PLACE)
    groups.refuse_too_many(
        groups.plan_groups("db", many(most), whole, edges, Mode.REPLACE), "db", ""
    )
    made = groups.plan_groups("db", many(most + 1), whole, edges, Mode.REPLACE)
    with pytest.raises(UsageError, match=f"{most + 1:,} windows would") as refused:
        groups.refuse_too_many(made, "acme_voice", "fewer")
    assert f"takes {most:,} at most" in str(refused.value)
    assert "acme_voice" in str(refused.value)
    groups.refuse_too_many(
        groups.plan_groups("db", many(most + 1), whole, edges, Mode.APPEND), "", ""
    )


@given(
    st.sets(st.integers(1, 99), max_size=20),
    st.sets(st.integers(1, 99), max_size=10),
)
def test_no_group_edge_tears_a_whole_partition(cuts: set[int], bounds: set[int]) -> None:
    windows = plans(0, *sorted(cuts), 100)
    edges = sorted({0, 100, *bounds})
    whole = {"score": [days(a, b) for a, b in itertools.pairwise(edges)]}
    made = groups.plan_groups("db", windows, whole, EDGES, Mode.REPLACE)
    assert [w for group in made for w in group.windows] == windows
    for group in made:
        inside = sum((one.duration for one in group.tables[0].whole), start=timedelta())
        assert inside == group.interval.duration


def test_a_core_lies_between_the_outer_bounds_of_whole_partitions() -> None:
    assert groups.core_bounds({"score": [days(0, 31)]}) == [ORIGIN, ORIGIN + 31 * DAY]
    daily = {"score": [days(n, n + 1) for n in range(3, 40)]}
    assert groups.core_bounds(daily) == [ORIGIN + 3 * DAY, ORIGIN + 40 * DAY]


def test_a_core_is_whole_in_every_table_and_tears_no_partition() -> None:
    whole = {
        "scorecard": [days(0, 31), days(31, 59)],
        "score": [days(7 * n, 7 * n + 7) for n in range(9)],
    }
    assert groups.core_bounds(whole) == []
    assert groups.core_bounds({"scorecard": [days(0, 31)], "score": []}) == []
    whole = {"scorecard": [days(0, 31), days(31, 59)], "score": [days(n, n + 1) for n in range(70)]}
    assert groups.core_bounds(whole) == [ORIGIN, ORIGIN + 59 * DAY]


@given(
    st.lists(st.sets(st.integers(0, 60), min_size=2, max_size=12), min_size=1, max_size=3),
    st.sets(st.integers(0, 59), max_size=6),
)
def test_what_lies_in_a_core_is_swapped_whole(edges: list[set[int]], holes: set[int]) -> None:
    whole = {
        f"t{n}": [days(a, b) for a, b in itertools.pairwise(sorted(one)) if a not in holes]
        for n, one in enumerate(edges)
    }
    bounds = groups.core_bounds(whole)
    cores = [Interval(a, b) for a, b in zip(bounds[::2], bounds[1::2], strict=True)]
    for core in cores:
        assert all(not core.minus(ranges) for ranges in whole.values())
        torn = [r for ranges in whole.values() for r in ranges if r.overlaps(core)]
        assert all(core.covers(one) for one in torn)
