"""Windows: they cover the range exactly, hold about equal volume, and respect partitions."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.domain.results import Bucket
from windlass.domain.window import Interval
from windlass.planner import windows

ORIGIN = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
RANGE = Interval(ORIGIN, datetime(2026, 2, 20, tzinfo=UTC))


def buckets(volumes: list[int]) -> list[Bucket]:
    return [
        Bucket(Interval(ORIGIN + i * HOUR, ORIGIN + (i + 1) * HOUR), {"score": n})
        for i, n in enumerate(volumes)
        if n
    ]


def adjacent(pieces: list[Interval], whole: Interval) -> bool:
    inner = all(a.end == b.start for a, b in itertools.pairwise(pieces))
    return inner and (pieces[0].start, pieces[-1].end) == (whole.start, whole.end)


def test_five_parts_of_the_log_are_its_five_jobs() -> None:
    days = [piece.start.strftime("%m-%d") for piece in windows.parts(RANGE, 5)]
    assert days == ["01-01", "01-11", "01-21", "01-31", "02-10"]


@given(st.integers(1, 400))
def test_parts_cover_the_range(count: int) -> None:
    pieces = windows.parts(RANGE, count)
    assert adjacent(pieces, RANGE)
    assert len(pieces) == count


@given(st.integers(1, 2000))
def test_fixed_windows_cover_the_range(hours: int) -> None:
    pieces = windows.fixed(RANGE, hours * HOUR)
    assert adjacent(pieces, RANGE)
    assert all(piece.duration == hours * HOUR for piece in pieces[:-1])


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=400), st.integers(100, 20_000))
def test_volume_windows_cover_the_range_and_lose_no_row(volumes: list[int], target: int) -> None:
    whole = Interval(ORIGIN, ORIGIN + len(volumes) * HOUR)
    pieces = windows.by_volume(whole, buckets(volumes), [], target)
    assert adjacent(pieces, whole)
    held = windows.Volumes.of(buckets(volumes))
    assert sum(held.inside(piece) for piece in pieces) == sum(volumes)


@given(st.lists(st.integers(90, 110), min_size=200, max_size=400))
def test_steady_volume_gives_windows_of_about_equal_volume(volumes: list[int]) -> None:
    whole = Interval(ORIGIN, ORIGIN + len(volumes) * HOUR)
    pieces = windows.by_volume(whole, buckets(volumes), [], 4000)
    held = windows.Volumes.of(buckets(volumes))
    rows = [held.inside(piece) for piece in pieces]
    assert max(rows) <= 1.25 * min(rows)


def test_windows_end_on_partition_boundaries() -> None:
    whole = Interval(ORIGIN, ORIGIN + 400 * HOUR)
    bound = ORIGIN + 203 * HOUR
    pieces = windows.by_volume(whole, buckets([100] * 400), [bound], 10_000)
    assert bound in {piece.start for piece in pieces}
    assert 3 <= len(pieces) <= 5


def test_small_partitions_are_joined_into_one_window() -> None:
    whole = Interval(ORIGIN, ORIGIN + 240 * HOUR)
    bounds = [ORIGIN + 24 * i * HOUR for i in range(1, 10)]
    pieces = windows.by_volume(whole, buckets([10] * 240), bounds, 1200)
    assert len(pieces) == 2
    assert {piece.start for piece in pieces[1:]} <= set(bounds)


def test_an_empty_range_is_one_window() -> None:
    assert windows.by_volume(RANGE, [], [], 1000) == [RANGE]


@pytest.mark.parametrize("days", [1, 5, 51, 365, 3650, 36500])
def test_a_histogram_has_a_bounded_number_of_steps(days: int) -> None:
    whole = Interval(ORIGIN, ORIGIN + timedelta(days=days))
    assert whole.duration / windows.step_for(whole) <= 2400
