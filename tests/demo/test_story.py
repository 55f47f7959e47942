"""The counts: exact at scale 1, consistent at any other."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.localstack.demo import story
from windlass.localstack.demo.story import Expected, apportion, expected

SCALES = st.floats(1e-7, 3, allow_nan=False)


def test_scale_one_is_the_work_log() -> None:
    counts = expected(1)
    assert counts == Expected(330_294, 31_503, 2_881_300, 272_186)
    assert (counts.kept_scorecards, counts.kept_scores) == (298_791, 2_609_114)


@pytest.mark.parametrize("scale", [0.01, 0.1, 0.5, 2])
def test_a_scaled_count_is_the_rounded_count(scale: float) -> None:
    counts = expected(scale)
    assert abs(counts.scorecards - 330_294 * scale) <= 0.5
    assert abs(counts.appeals - 31_503 * scale) <= 0.5
    assert abs(counts.scores - 2_881_300 * scale) <= 0.5
    assert abs(counts.appeal_scores - 272_186 * scale) <= 0.5


@given(SCALES)
def test_no_score_is_without_a_scorecard_at_any_scale(scale: float) -> None:
    for block in story.blocks(scale):
        for rows in (block.rows, *(day.rows for day in story.days(block))):
            assert 0 <= rows.appeals <= rows.scorecards
            assert 0 <= rows.appeal_scores <= rows.scores
            assert rows.appeals or not rows.appeal_scores
            assert rows.kept_scorecards or not rows.kept_scores


@given(SCALES)
def test_the_days_of_a_block_add_up_to_it(scale: float) -> None:
    for block in story.blocks(scale):
        rows = [day.rows for day in story.days(block)]
        assert block.rows == Expected(
            sum(r.scorecards for r in rows),
            sum(r.appeals for r in rows),
            sum(r.scores for r in rows),
            sum(r.appeal_scores for r in rows),
        )


@given(SCALES)
def test_every_tenant_exists_however_small_the_scale(scale: float) -> None:
    scenery = [block for block in story.blocks(scale) if block.span != story.RANGE]
    assert all(block.rows.scorecards >= 1 for block in scenery)


@pytest.mark.parametrize("scale", [0, -1, float("nan")])
def test_a_scale_of_nothing_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="scale"):
        expected(scale)


def test_the_demo_tenants_have_nothing_in_the_range_but_voice() -> None:
    inside = {
        b.database
        for b in story.BLOCKS
        if b.customer in story.CUSTOMERS and b.span.overlaps(story.RANGE)
    }
    assert inside == {"mutualofomaha_voice"}


def test_database_names_follow_the_rule_to_the_letter() -> None:
    assert story.databases()["mutualofomaha_sandbox_sandbox"] == (
        "mutualofomaha-sandbox",
        "sandbox",
    )


@given(st.integers(0, 10**7), st.lists(st.floats(0, 100, allow_subnormal=False), min_size=1))
def test_apportion_gives_everything_away_and_nothing_to_zero(
    total: int, weights: list[float]
) -> None:
    if sum(weights) < 1e-6:
        weights = [*weights, 1.0]
    shares = apportion(total, weights)
    assert sum(shares) == total
    assert all(share >= 0 for share in shares)
    assert all(weight or not share for share, weight in zip(shares, weights, strict=True))


def test_apportion_gives_the_remainder_to_the_largest() -> None:
    assert apportion(10, [1, 1, 1]) == [4, 3, 3]
    assert apportion(7, [0.5, 0.3, 0.2]) == [4, 2, 1]


def test_apportion_has_to_find_somebody() -> None:
    with pytest.raises(ValueError, match="nobody"):
        apportion(1, [0, 0])


def test_weekdays_are_busier_than_weekends() -> None:
    voice = next(block for block in story.blocks(1) if block.rows == story.LOGGED)
    ordinary = [day for day in story.days(voice) if day.day not in story.HOLIDAYS]
    weekday = [d.rows.scorecards for d in ordinary if d.day.weekday() < 5]
    weekend = [d.rows.scorecards for d in ordinary if d.day.weekday() >= 5]
    assert min(weekday) > 2 * max(weekend)


def test_spans_touch_the_range_on_both_sides() -> None:
    spans = (story.BEFORE, story.RANGE, story.AFTER)
    assert all(first.end == second.start for first, second in pairwise(spans))
