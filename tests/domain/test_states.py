"""The table of transitions, and how parts roll up."""

from itertools import product

import pytest

from windlass.domain.states import FINAL, TRANSITIONS, State, allowed, roll_up


def test_every_state_has_its_arrows_and_every_arrow_its_reason() -> None:
    assert set(TRANSITIONS) == set(State)
    assert all(reason for arrows in TRANSITIONS.values() for reason in arrows.values())


def test_cancelled_work_never_moves_again() -> None:
    assert not any(allowed(State.CANCELLED, to) for to in State if to is not State.CANCELLED)


def test_staying_is_always_allowed() -> None:
    assert all(allowed(state, state) for state in State)


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([], State.NOTHING_TO_DO),
        ([State.NOTHING_TO_DO, State.DONE], State.DONE),
        ([State.QUEUED, State.QUEUED], State.QUEUED),
        ([State.RUNNING, State.DONE], State.PARTIAL),
        ([State.RUNNING, State.QUEUED], State.RUNNING),
        ([State.DONE, State.PARKED], State.PARKED),
        ([State.DONE, State.CANCELLED], State.CANCELLED),
        ([State.UNKNOWN, State.DONE], State.UNKNOWN),
    ],
)
def test_roll_up(parts: list[State], whole: State) -> None:
    assert roll_up(parts) is whole


def test_a_whole_is_final_only_when_all_its_parts_are() -> None:
    for parts in product(State, repeat=2):
        if roll_up(list(parts)) in FINAL:
            assert all(part in FINAL or part is State.PAUSED for part in parts)
