"""Medians, ratios and lines."""

import pytest

from benchmarks.stats import Spread, fastest, line, linearity, ratios


def test_a_spread_has_the_median_and_both_ends() -> None:
    assert Spread.of([3.0, 1.0, 10.0]) == Spread(3.0, 1.0, 10.0, 3)
    assert Spread.of([1.0, 2.0]).median == 1.5


def test_nothing_measured_is_no_spread() -> None:
    with pytest.raises(ValueError, match="nothing"):
        Spread.of([])


def test_ratios_are_taken_within_a_round() -> None:
    # Ours got slower from round 0 to 1 as everybody did: the ratio stays.
    assert ratios({0: 10.0, 1: 5.0, 2: 8.0}, {0: 5.0, 1: 2.5}) == [2.0, 2.0]


def test_the_fastest_of_each_round() -> None:
    assert fastest({0: 1.0, 1: 9.0}, {0: 3.0, 2: 4.0}) == {0: 3.0, 1: 9.0, 2: 4.0}


def test_a_line_through_points() -> None:
    assert line([(0, 1), (1, 3), (2, 5)]) == pytest.approx((1.0, 2.0))
    with pytest.raises(ValueError, match="two places"):
        line([(1, 3), (1, 4)])


def test_linearity_compares_the_last_stretch_with_the_first() -> None:
    assert linearity([(3, 7), (1, 3), (2, 5)]) == pytest.approx(1.0)
    assert linearity([(1, 1), (2, 2), (4, 8)]) == pytest.approx(3.0)
