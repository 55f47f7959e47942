"""Half-open ranges and their readable names."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.domain.window import Interval, compact

ORIGIN = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = st.integers(0, 500)


def at(hours: int) -> datetime:
    return ORIGIN + timedelta(hours=hours)


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    start = draw(HOURS)
    return Interval(at(start), at(start + draw(st.integers(1, 100))))


def test_an_interval_is_never_empty_and_always_has_a_zone() -> None:
    with pytest.raises(ValueError, match="start < end"):
        Interval(at(1), at(1))
    with pytest.raises(ValueError, match="zone"):
        Interval(datetime(2026, 1, 1), datetime(2026, 1, 2))


def test_the_end_is_outside() -> None:
    day = Interval(at(0), at(24))
    assert day.contains(at(0))
    assert not day.contains(at(24))
    assert not day.overlaps(Interval(at(24), at(25)))


@given(intervals(), st.lists(HOURS))
def test_split_pieces_are_adjacent_and_cover_the_whole(whole: Interval, cuts: list[int]) -> None:
    pieces = list(whole.split(at(c) for c in cuts))
    assert pieces[0].start == whole.start
    assert pieces[-1].end == whole.end
    assert all(a.end == b.start for a, b in itertools.pairwise(pieces))


@given(intervals(), st.lists(intervals(), max_size=5), HOURS)
def test_minus_leaves_exactly_what_the_others_do_not_hold(
    whole: Interval, others: list[Interval], hour: int
) -> None:
    left = whole.minus(others)
    moment = at(hour)
    wanted = whole.contains(moment) and not any(o.contains(moment) for o in others)
    assert any(piece.contains(moment) for piece in left) == wanted


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (at(0), "20260101"),
        (at(5), "20260101T0500"),
        (at(0) + timedelta(seconds=1), "20260101T000001"),
        (at(0) + timedelta(microseconds=1), "20260101T000000.000001"),
    ],
)
def test_compact_is_as_short_as_the_instant_allows(instant: datetime, text: str) -> None:
    assert compact(instant) == text
