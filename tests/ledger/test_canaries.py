"""Canaries in the record: who waits for whom, what says so, and what lets the rest begin."""

from dataclasses import replace

import pytest

from tests.ledger.world import HandClock, cluster, counted, days, draft, group, plan, tenant
from windlass.domain.orders import Order, Verb
from windlass.domain.plan import HeldWindow, Plan, TenantPlan
from windlass.domain.record import Scope, StatusView
from windlass.domain.states import Mode, State, Verdict
from windlass.ledger.store import SqlLedger

C = "acme-jan-feb-2026"
A, B = "voice-prod", "chat-prod"
SPAN = days(0, 10)
CANARY = f"{C}/acme_voice/group-20260101-20260111"


def one(customer: str, at: str = A, *, held: bool = False) -> TenantPlan:
    if held:
        window = HeldWindow("acme-older", days(0, 50), True, "unchanged on both sides")
        return tenant(customer, cluster=at, held=(window,))
    return tenant(customer, group(f"{customer}_voice", SPAN), cluster=at)


def two_clusters(first: TenantPlan | None = None, mode: Mode = Mode.REPLACE) -> Plan:
    """The canary acme/voice on one cluster, and others on both."""
    mine, theirs = (first or one("acme"), one("globex")), (one("initech", B),)
    made = plan(cluster(*mine), cluster(*theirs, name=B), mode=mode)
    request = replace(made.request, canary=("acme/voice",), priority=(("globex", 5),))
    return replace(made, request=request)


def begun(ledger: SqlLedger, made: Plan) -> None:
    ledger.create_campaign(draft(), made)
    for name in (A, B):
        ledger.cluster_state(C, name, State.RUNNING)


def ended(
    ledger: SqlLedger, clock: HandClock, verdict: Verdict, database: str = "acme_voice"
) -> None:
    """Its one window is published with that verdict."""
    name = f"{C}/{database}/20260101-20260111"
    ledger.window_started(name, ledger.begin_attempt(C, name))
    clock.turn(10)
    ledger.window_loaded(name, 1000)
    ledger.group_done(f"{C}/{database}/group-20260101-20260111", [counted()], verdict, 1000)


def gated(ledger: SqlLedger) -> bool:
    """Whether both clusters hold their tenants back; they must agree."""
    found = {ledger.orders(C, name).gated for name in (A, B)}
    assert len(found) == 1
    return found.pop()


def notes(view: StatusView) -> dict[str, str]:
    return {t.customer: t.note for t in view.tenants}


def test_the_rest_of_every_cluster_waits_and_says_so(ledger: SqlLedger, clock: HandClock) -> None:
    begun(ledger, two_clusters())
    assert gated(ledger)
    assert ledger.orders(C, A).canaries == ("acme_voice",)
    assert ledger.orders(C, B).canaries == ()
    view, said = ledger.status(), "waiting for canary voice-prod/acme/voice"
    assert notes(view) == {"acme": "", "globex": said, "initech": said}
    assert view.limited_by == said, "once for both clusters"
    assert [(t.customer, t.canary, t.priority) for t in view.tenants] == [
        ("acme", True, 0),
        ("globex", False, 5),
        ("initech", False, 0),
    ]
    assert ledger.at_work(B).opened == ()
    ended(ledger, clock, Verdict.VERIFIED)
    assert not gated(ledger)
    assert set(notes(ledger.status()).values()) == {""}
    assert ledger.at_work(B).opened == ledger.at_work(A).opened == (C,)
    told = [e.text for e in ledger.events(C) if e.kind == "canary"]
    assert told == ["every canary is verified: the rest begins"]


def test_a_parked_canary_holds_the_rest_until_it_is_retried_and_verified(
    ledger: SqlLedger, clock: HandClock
) -> None:
    begun(ledger, two_clusters())
    ledger.group_parked(CANARY, "31,503 rows would go")
    assert gated(ledger)
    view = ledger.status()
    assert not view.state.final, "the rest is still to do"
    assert notes(view)["initech"] == "waiting for canary voice-prod/acme/voice (parked)"
    ledger.order(Order(Verb.RETRY, C, (Scope(C, A, "acme_voice"),), "ada@ops1"))
    assert gated(ledger)
    ended(ledger, clock, Verdict.VERIFIED)
    assert not gated(ledger)


@pytest.mark.parametrize("verdict", [Verdict.MISMATCH, Verdict.UNVERIFIED])
def test_so_does_one_that_is_published_and_not_verified(
    ledger: SqlLedger, clock: HandClock, verdict: Verdict
) -> None:
    begun(ledger, two_clusters())
    ended(ledger, clock, verdict)
    assert gated(ledger)
    assert notes(ledger.status())["globex"].endswith(f"({verdict})")
    (change,) = ledger.order(Order(Verb.RETRY, C, (Scope(C, A, "acme_voice"),), "ada@ops1"))
    assert (change.before, change.after) == (State.DONE, State.QUEUED)
    assert ledger.todo(C, A, "acme_voice") == [CANARY]
    assert ledger.status().tenants[0].verdict is None
    ended(ledger, clock, Verdict.VERIFIED)
    assert not gated(ledger)


def test_what_was_appended_is_not_appended_again(ledger: SqlLedger, clock: HandClock) -> None:
    begun(ledger, two_clusters(mode=Mode.APPEND))
    ended(ledger, clock, Verdict.MISMATCH)
    with pytest.raises(Exception, match="nothing to retry"):
        ledger.order(Order(Verb.RETRY, C, (Scope(C, A, "acme_voice"),), "ada@ops1"))


def test_a_cancelled_canary_lets_nobody_begin(ledger: SqlLedger) -> None:
    begun(ledger, two_clusters())
    ledger.order(Order(Verb.CANCEL, C, (Scope(C, A, "acme_voice"),), "ada@ops1"))
    ledger.tenant_cancelled(C, A, "acme_voice")
    assert gated(ledger)
    assert notes(ledger.status())["globex"].endswith("(cancelled)")


@pytest.mark.parametrize("first", [one("acme", held=True), tenant("acme")], ids=["held", "idle"])
def test_a_canary_with_nothing_to_do_holds_nobody(ledger: SqlLedger, first: TenantPlan) -> None:
    begun(ledger, two_clusters(first))
    assert not gated(ledger)


def test_windows_that_replace_others_count_in_their_place(
    ledger: SqlLedger, clock: HandClock
) -> None:
    begun(ledger, two_clusters())
    pieces = [group("acme_voice", days(0, 5)), group("acme_voice", days(5, 10))]
    ledger.recut(C, A, "acme_voice", {CANARY: pieces}, "too slow")
    for piece, verdict in zip(
        ledger.todo(C, A, "acme_voice"), (Verdict.VERIFIED, Verdict.VERIFIED), strict=True
    ):
        assert gated(ledger)
        ledger.group_done(piece, [counted()], verdict, 500)
    assert not gated(ledger)


def test_a_campaign_without_canaries_waits_for_nobody(ledger: SqlLedger) -> None:
    made = plan(cluster(one("acme")), cluster(one("initech", B), name=B))
    begun(ledger, made)
    assert not gated(ledger)
    assert ledger.status().limited_by == ""
    assert ledger.at_work(A).opened == ()


def test_what_is_not_done_again_is_noted_on_every_cluster(ledger: SqlLedger) -> None:
    windows = (
        HeldWindow("acme-older", days(10, 20), True, "unchanged on both sides"),
        HeldWindow("acme-oldest", days(20, 30), False, "the source of score changed since"),
    )
    part = tenant("acme", group("acme_voice", SPAN), held=windows)
    whole = tenant("initech", cluster=B, held=(*windows[:1], windows[1]))
    ledger.create_campaign(draft(), plan(cluster(part), cluster(whole, name=B)))
    assert notes(ledger.status()) == {
        "acme": "1 window of acme-older still holds: only the gaps are done",
        "initech": "verified before, and it still holds: acme-older",
    }
