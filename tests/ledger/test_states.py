"""What a whole is out of its parts, with and without an operator's order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.domain.states import TRANSITIONS, State, allowed, roll_up
from windlass.ledger.states import settle

S = State
SOME = st.lists(st.sampled_from(list(State)), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("ordered", "parts", "whole"),
    [
        ("", [S.QUEUED, S.QUEUED], S.QUEUED),
        ("", [S.QUEUED, S.DONE], S.PARTIAL),
        ("", [S.RUNNING, S.QUEUED], S.RUNNING),
        ("", [S.RUNNING, S.DONE], S.PARTIAL),
        ("", [S.DONE, S.NOTHING_TO_DO], S.DONE),
        ("", [S.DONE, S.CANCELLED], S.CANCELLED),
        ("", [S.DONE, S.PARKED], S.PARKED),
        ("", [S.PARKED, S.UNKNOWN], S.PARKED),
        ("", [S.PAUSED, S.RUNNING], S.RUNNING),
        ("", [S.NOTHING_TO_DO], S.NOTHING_TO_DO),
        ("pause", [S.RUNNING, S.QUEUED], S.PAUSING),
        ("pause", [S.DONE, S.QUEUED], S.PAUSED),
        ("pause", [S.DONE, S.PARKED], S.PARKED),
        ("pause", [S.DONE, S.DONE], S.DONE),
        ("cancel", [S.DONE, S.QUEUED], S.CANCELLING),
        ("cancel", [S.CANCELLED, S.CANCELLING], S.CANCELLING),
        ("cancel", [S.DONE, S.CANCELLED], S.CANCELLED),
        ("cancel", [S.DONE, S.DONE], S.DONE),
    ],
)
def test_settle(ordered: str, parts: list[State], whole: State) -> None:
    assert settle(ordered, parts) is whole


@given(SOME)
def test_a_whole_is_final_only_when_all_its_parts_are(parts: list[State]) -> None:
    if settle("", parts).final:
        assert all(part.final or part is S.PAUSED for part in parts)


@given(SOME)
def test_the_order_of_parts_does_not_matter(parts: list[State]) -> None:
    assert roll_up(parts) is roll_up(parts[::-1])


def test_done_needs_every_part_done() -> None:
    for other in State:
        if other not in {S.DONE, S.NOTHING_TO_DO}:
            assert roll_up([S.DONE, other]) is not S.DONE


def test_every_state_has_its_arrows_and_may_stay() -> None:
    assert set(TRANSITIONS) == set(State)
    assert all(allowed(state, state) for state in State)
