"""Orders in the record: every test runs on SQLite and on PostgreSQL."""

import pytest

from tests.ledger.steps import CAMPAIGN, G1, G2, TENANT, VOICE, W1, W2, C, opened, states, work
from tests.ledger.world import HandClock, counted
from windlass.domain.errors import RefusedError, UsageError
from windlass.domain.orders import Order, TenantWord, Verb
from windlass.domain.record import Scope
from windlass.domain.states import State, Verdict
from windlass.ledger.store import SqlLedger

CLUSTER = "voice-prod"
WINDOW = Scope(C, window=W1)


def order(ledger: SqlLedger, verb: Verb, *scopes: Scope) -> list[tuple[State, State]]:
    made = ledger.order(Order(verb, C, scopes, "ada@ops1", "a test"))
    return [(one.before, one.after) for one in made]


def test_a_paused_group_rests_and_goes_on(ledger: SqlLedger, clock: HandClock) -> None:
    opened(ledger)
    work(ledger, clock, W1)
    assert order(ledger, Verb.PAUSE, CAMPAIGN) == [(State.RUNNING, State.PAUSING)]
    ledger.group_rests(G1)
    assert states(ledger) == ("paused", "paused", "paused", ["paused", "queued"])
    assert ledger.todo(C, CLUSTER, VOICE) == [G1, G2]
    assert ledger.orders(C, CLUSTER).paused
    order(ledger, Verb.RESUME, CAMPAIGN)
    assert states(ledger)[3] == ["running", "queued"], "loaded: its publish goes on"
    ledger.group_rests(G1)
    assert states(ledger)[3] == ["running", "queued"], "no pause stands any more"
    ledger.group_done(G1, [counted()], Verdict.VERIFIED, 1000)
    assert states(ledger)[3] == ["done", "queued"]


def test_one_window_is_paused_while_others_run(ledger: SqlLedger) -> None:
    opened(ledger)
    ledger.window_started(W2, 1)
    assert order(ledger, Verb.PAUSE, WINDOW) == [(State.QUEUED, State.PAUSED)]
    assert states(ledger)[0] == "running"
    word = ledger.orders(C, CLUSTER).of(VOICE)
    assert word == TenantWord(VOICE, held=(G1,))
    ledger.window_started(W1, 1)
    assert states(ledger)[3][0] == "pausing", "a load that slipped in shows as what it is"
    ledger.group_rests(G1)
    assert states(ledger)[3] == ["paused", "running"]
    assert order(ledger, Verb.RESUME, WINDOW) == [(State.PAUSED, State.QUEUED)]


def test_a_cancel_is_not_overrun_by_a_pause(ledger: SqlLedger) -> None:
    opened(ledger)
    ledger.window_started(W1, 1)
    order(ledger, Verb.CANCEL, TENANT)
    assert ledger.cancelling(C, CLUSTER, VOICE)
    assert not ledger.cancelling(C, CLUSTER, "globex_voice")
    with pytest.raises(RefusedError, match="nothing to pause"):
        order(ledger, Verb.PAUSE, TENANT)
    ledger.tenant_cancelled(C, CLUSTER, VOICE)
    assert states(ledger)[2] == "cancelled"


def test_a_begun_group_is_proven_dead_before_it_is_cancelled(ledger: SqlLedger) -> None:
    opened(ledger)
    ledger.window_started(W1, ledger.begin_attempt(C, W1))
    assert order(ledger, Verb.CANCEL, WINDOW) == [(State.RUNNING, State.CANCELLING)]
    assert ledger.cancelling(C, CLUSTER, VOICE, W1)
    assert not ledger.cancelling(C, CLUSTER, VOICE, W2)
    assert states(ledger)[0] == "partial" or states(ledger)[0] == "queued"
    assert ledger.orders(C, CLUSTER).of(VOICE).dropped == (G1,)
    ledger.group_cancelled(G1)
    assert states(ledger)[3] == ["cancelled", "queued"]
    assert order(ledger, Verb.CANCEL, Scope(C, window=W2)) == [(State.QUEUED, State.CANCELLED)]
    assert states(ledger)[0] == "cancelled"


def test_an_order_is_whole_or_not_at_all(ledger: SqlLedger) -> None:
    opened(ledger)
    with pytest.raises(UsageError):
        order(ledger, Verb.PAUSE, TENANT, Scope(C, CLUSTER, "nowhere"))
    assert states(ledger)[2] == "running"
    assert not ledger.paused(C, CLUSTER, VOICE)
    assert ledger.facts(C).actions == ()


def test_a_cut_again_keeps_lineage_and_raises_the_plans_version(ledger: SqlLedger) -> None:
    from tests.ledger.world import days, group

    opened(ledger)
    before = ledger.plan_version(C)
    ledger.group_parked(G1, "too many rows")
    halves = [group(VOICE, days(0, 5)), group(VOICE, days(5, 10))]
    ledger.recut(C, CLUSTER, VOICE, {G1: halves}, "slow")
    assert ledger.plan_version(C) > before
    assert ledger.over(G1), "nothing may begin at what was cut"
    assert ledger.status().tenants[0].note == ""
    assert len(ledger.todo(C, CLUSTER, VOICE)) == 3
