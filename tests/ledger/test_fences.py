"""An attempt learns that its time is over: a later one began, or its group ended."""

import pytest

from tests.ledger.steps import G1, G2, VOICE, W1, W2, C, opened, work
from tests.ledger.world import HandClock
from windlass.domain.attempt import Attempt
from windlass.domain.states import State, Verdict
from windlass.ledger.store import SqlLedger


def begun(ledger: SqlLedger, subject: str) -> Attempt:
    return Attempt(C, subject, ledger.begin_attempt(C, subject))


def test_a_later_attempt_overtakes_those_before_it(ledger: SqlLedger) -> None:
    opened(ledger)
    first, other = begun(ledger, W1), begun(ledger, W2)
    assert not ledger.overtaken(first)
    second = begun(ledger, W1)
    assert ledger.overtaken(first)
    assert not ledger.overtaken(second)
    assert not ledger.overtaken(other)


def test_a_retired_group_has_no_attempt_that_counts(ledger: SqlLedger) -> None:
    opened(ledger)
    attempts = [begun(ledger, s) for s in (W1, W1, G1, f"{G1}/settle")]
    elsewhere = begun(ledger, G2)
    found = ledger.retire(G1)
    assert {(one.subject, one.number) for one in found} == {
        (one.subject, one.number) for one in attempts
    }
    assert all(ledger.overtaken(one) for one in attempts)
    assert not ledger.overtaken(elsewhere)
    assert not ledger.overtaken(begun(ledger, W1)), "what begins anew counts"


def test_a_cancelled_tenant_retires_what_is_not_done(ledger: SqlLedger, clock: HandClock) -> None:
    opened(ledger)
    done = begun(ledger, G1)
    work(ledger, clock, W1)
    ledger.group_done(G1, [], Verdict.VERIFIED, 1000)
    running = begun(ledger, W2)
    ledger.retire_tenant(C, "voice-prod", VOICE)
    assert ledger.overtaken(running)
    assert not ledger.overtaken(done)


@pytest.mark.parametrize("parked", [True, False])
def test_a_late_word_does_not_bring_a_group_back(
    ledger: SqlLedger, clock: HandClock, parked: bool
) -> None:
    opened(ledger)
    work(ledger, clock, W1)
    if parked:
        ledger.group_parked(G1, "too many tries")
    else:
        ledger.tenant_cancelled(C, "voice-prod", VOICE)
    ledger.group_done(G1, [], Verdict.VERIFIED, 1000)
    assert ledger.window(W1).state is (State.PARKED if parked else State.CANCELLED)


def test_nothing_begins_at_a_group_that_is_over(ledger: SqlLedger, clock: HandClock) -> None:
    opened(ledger)
    work(ledger, clock, W1)
    assert not ledger.over(G1)
    ledger.group_done(G1, [], Verdict.VERIFIED, 1000)
    assert ledger.over(G1)
    assert ledger.overtaken(begun(ledger, W1)), "a task given long ago wakes up too late"
    assert not ledger.over(G2)
    assert ledger.over("no/such/group"), "as one whose windows were all cut again"
