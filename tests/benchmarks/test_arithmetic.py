"""Medians, ratios and lines."""

import pytest

from benchmarks.stats import Spread, bend, fastest, line, ratios


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


def test_a_straight_line_has_no_bend() -> None:
    assert bend([(3, 7), (1, 3), (2, 5)]) == pytest.approx(0.0)
    assert bend([(1, 11), (5, 50), (20, 205)]) < 0.05


def test_what_grows_faster_bends() -> None:
    assert bend([(n, n**2) for n in (1, 5, 20)]) > 0.5
    assert bend([(n, 2 + 0.1 * n**1.3) for n in (10, 100, 1000, 5000)]) > 0.15


def test_a_fixed_part_is_no_bend() -> None:
    # Three seconds whatever the size: as far from proportional as can be, and still straight.
    assert bend([(10, 3.8), (100, 11.0), (1000, 83.0)]) == pytest.approx(0.0, abs=1e-9)
