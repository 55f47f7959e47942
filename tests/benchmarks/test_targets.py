"""Targets: met, missed, not measured."""

import pytest

from benchmarks.targets import Target, missed

LEAST = Target("ratio", 1.15, True, "x", 1.3)
MOST = Target("help", 0.3, unit="s")


@pytest.mark.parametrize(
    ("target", "figure", "met", "word"),
    [
        (LEAST, 1.15, True, "met"),
        (LEAST, 1.149, False, "**missed**"),
        (LEAST, 1.3, True, "met, and what was wanted"),
        (MOST, 0.3, True, "met"),
        (MOST, 0.31, False, "**missed**"),
        (MOST, None, None, "not measured"),
    ],
)
def test_a_figure_meets_its_target_or_not(
    target: Target, figure: float | None, met: bool | None, word: str
) -> None:
    check = target.judge(figure)
    assert (check.met, check.row()[-1]) == (met, word)


def test_only_what_was_measured_can_be_missed() -> None:
    assert [check.figure for check in missed([MOST.judge(1.0), MOST.judge(None)])] == [1.0]


def test_a_row_says_limit_and_wish() -> None:
    assert LEAST.judge(1.2).row() == ["ratio", "≥ 1.15 x (want 1.3)", "1.20 x", "met"]
