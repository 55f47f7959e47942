"""A window struggles against its own prediction; long but steady is healthy."""

from dataclasses import replace

import pytest

from windlass.domain.plan import Expected
from windlass.domain.states import Health
from windlass.planner.struggle import Finding, Seen, cures, judge, piece_seconds

HOUR = 3600.0
VIVINT = Seen(
    rows_planned=9_000_000,
    rows=4_500_000,
    age=11 * HOUR,
    silent=1,
    attempts=1,
    recent=113,
    expected=Expected(20 * HOUR, 15 * HOUR, 24 * HOUR),
)
QUICK = Seen(1_000_000, 300_000, 300, 1, 1, 1_000, Expected(1_000, 800, 1_250))


def test_long_but_steady_is_healthy() -> None:
    assert judge(VIVINT).health is Health.HEALTHY
    assert judge(replace(VIVINT, expected=None)).health is Health.HEALTHY
    assert judge(replace(VIVINT, age=30 * HOUR)).health is Health.HEALTHY, "late, but at its rate"


def test_a_rate_below_the_band_is_slow_then_struggling() -> None:
    assert judge(replace(QUICK, recent=800)).health is Health.HEALTHY
    assert judge(replace(QUICK, recent=390)).health is Health.SLOW
    found = judge(replace(QUICK, recent=110))
    assert found.health is Health.STRUGGLING
    assert found.curable
    assert "110 rows/s, where history predicts 800 at least" in found.reason


def test_a_slow_end_within_the_band_is_healthy() -> None:
    assert judge(replace(QUICK, rows=990_000, age=900, recent=110)).health is Health.HEALTHY


@pytest.mark.parametrize(
    "why", [{"held": True}, {"recent": None}, {"age": 10.0}, {"rows_planned": 500}]
)
def test_what_says_nothing_is_not_judged(why: dict[str, object]) -> None:
    assert judge(replace(QUICK, **{"recent": 1.0, **why})).health is Health.HEALTHY  # type: ignore[arg-type]


def test_without_history_it_is_held_against_itself_and_for_longer() -> None:
    alone = replace(QUICK, expected=None)
    assert judge(replace(alone, recent=300)).health is Health.HEALTHY
    found = judge(replace(alone, recent=200))
    assert found.health is Health.STRUGGLING
    assert found.after > judge(replace(QUICK, recent=110)).after
    assert judge(replace(alone, rows=950_000, recent=200)).health is Health.HEALTHY


def test_silence_is_not_cured_by_cutting_but_attempts_may_be() -> None:
    silent = judge(replace(QUICK, silent=50))
    assert (silent.health, silent.curable) == (Health.STRUGGLING, False)
    again = judge(replace(QUICK, attempts=4))
    assert (again.health, again.curable) == (Health.STRUGGLING, True)
    assert judge(replace(QUICK, attempts=3)).health is Health.HEALTHY


@pytest.mark.parametrize(
    ("rows", "rate", "pieces"),
    [(600_000, 100.0, 10), (1_000, 100.0, 2), (10**9, 1.0, 16), (600_000, 0.0, 16)],
)
def test_pieces_take_ten_minutes_at_the_rate_that_was_seen(
    rows: int, rate: float, pieces: int
) -> None:
    assert piece_seconds(864_000, rows, rate) == 864_000 / pieces


@pytest.mark.parametrize(
    ("waited", "curable", "times"),
    [(0, True, 0), (39, True, 0), (40, True, 1), (80, True, 2), (900, True, 2), (0, False, 1)],
)
def test_blocks_become_smaller_step_by_step_before_a_cut(
    waited: float, curable: bool, times: int
) -> None:
    finding = Finding(Health.STRUGGLING, "slow", curable=curable)
    assert cures(finding, waited, 120) == times
