"""How long a window should take, out of how long windows took."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.planner.pace import pace_for, pace_of

WINDOWS = st.lists(
    st.tuples(st.integers(1, 10**8), st.floats(0.01, 10**5)), min_size=1, max_size=60
)


def test_without_history_nothing_is_expected() -> None:
    assert pace_for("acme", "voice", {}) is None
    assert pace_for("acme", "voice", {"acme": [(0, 5.0), (10, 0.0)]}) is None


def test_a_tenant_has_its_own_pace_else_the_clusters() -> None:
    past = {"acme": [(1000, 10.0)] * 3, "globex": [(1000, 1.0)]}
    own, other = pace_for("acme", "voice", past), pace_for("umbrella", "voice", past)
    assert own
    assert other
    assert (own.basis, other.basis) == (
        "3 windows of this tenant, 100 rows/s",
        "4 windows on voice, 129 rows/s",
    )


def test_the_fixed_share_of_a_window_is_told_from_its_rows() -> None:
    pace = pace_of([(n * 100_000, 2 + n * 1.0) for n in range(1, 11)], "")
    assert pace
    assert pace.expect(0).seconds == pytest.approx(2)
    assert pace.expect(500_000).seconds == pytest.approx(7)
    assert pace.expect(500_000).low == pytest.approx(7, rel=0.01)


def test_few_windows_make_a_wide_band() -> None:
    pace = pace_of([(1000, 10.0)], "")
    assert pace
    assert (pace.expect(2000).low, pace.expect(2000).high) == (10, 40)


@given(WINDOWS, st.integers(0, 10**8), st.integers(0, 10**8))
def test_more_rows_never_take_less_and_the_band_holds_the_likely(
    past: list[tuple[int, float]], some: int, others: int
) -> None:
    pace = pace_of(past, "")
    assert pace
    few, many = sorted((some, others))
    assert 0 <= pace.expect(few).seconds <= pace.expect(many).seconds
    band = pace.expect(many)
    assert 0 <= band.low <= band.seconds <= band.high


@given(st.lists(st.tuples(st.integers(1, 10**6), st.floats(0.1, 100)), min_size=5, max_size=60))
def test_most_of_the_windows_it_was_made_from_lie_in_the_band(
    past: list[tuple[int, float]],
) -> None:
    pace = pace_of(past, "")
    assert pace
    bands = [(seconds, pace.expect(rows)) for rows, seconds in past]
    inside = sum(b.low * 0.999 <= seconds <= b.high * 1.001 for seconds, b in bands)
    assert inside >= 0.6 * len(past)
