"""Orders, records and the journal: every test runs on SQLite and on PostgreSQL."""

from dataclasses import replace

import pytest

from tests.ledger.steps import (
    CAMPAIGN,
    CLUSTER,
    G1,
    G2,
    TENANT,
    VOICE,
    W1,
    W2,
    C,
    opened,
    states,
    work,
)
from tests.ledger.world import (
    HandClock,
    acme,
    cluster,
    counted,
    days,
    draft,
    group,
    plan,
    tenant,
)
from windlass.domain.errors import (
    RefusedError,
    UsageError,
    WindlassError,
)
from windlass.domain.record import Scope
from windlass.domain.states import Health, Mode, State, Verdict
from windlass.ledger import open_ledger
from windlass.ledger.store import SqlLedger
from windlass.ports import HeldCounts

# orders


def test_a_parked_group_waits_and_is_retried(ledger: SqlLedger, clock: HandClock) -> None:
    opened(ledger)
    ledger.window_started(W1, 1)
    ledger.group_parked(G1, "31,503 rows would go")
    work(ledger, clock, W2)
    ledger.group_done(G2, [counted()], Verdict.VERIFIED, 1000)
    assert states(ledger) == ("parked", "parked", "parked", ["parked", "done"])
    view = ledger.status(windows=True)
    assert view.tenants[0].note == view.tenants[0].windows[0].note == "31,503 rows would go"
    assert [(e.kind, e.subject) for e in ledger.events(C, W1)] == [("parked", G1)]
    assert ledger.events(C, W2) == []
    assert ledger.move(TENANT, State.QUEUED) is State.PARKED
    assert states(ledger) == ("partial", "partial", "partial", ["queued", "done"])
    assert ledger.status().ended_at is None
    assert ledger.todo(C, "voice-prod", VOICE) == [G1]


def test_a_window_that_starts_beside_a_parked_one_shows_its_tenant_at_work(
    ledger: SqlLedger, clock: HandClock
) -> None:
    opened(ledger)
    ledger.window_started(W1, 1)
    ledger.group_parked(G1, "31,503 rows would go")
    assert states(ledger) == ("partial", "partial", "partial", ["parked", "queued"])
    ledger.window_started(W2, 1)
    assert states(ledger) == ("running", "running", "running", ["parked", "running"])


def test_a_window_that_starts_beside_a_done_one_leaves_its_tenant_partial(
    ledger: SqlLedger, clock: HandClock
) -> None:
    opened(ledger)
    work(ledger, clock, W1)
    ledger.group_done(G1, [counted()], Verdict.VERIFIED, 1000)
    ledger.window_started(W2, 1)
    assert states(ledger) == ("partial", "partial", "partial", ["done", "running"])


def test_cancel_proves_before_it_says_so(ledger: SqlLedger, clock: HandClock) -> None:
    opened(ledger)
    work(ledger, clock, W1)
    ledger.group_done(G1, [counted()], Verdict.VERIFIED, 1000)
    ledger.window_started(W2, 1)
    assert not ledger.cancelling(C, "voice-prod")
    ledger.move(CAMPAIGN, State.CANCELLING, "wrong range")
    assert ledger.cancelling(C, "voice-prod")
    assert states(ledger) == ("cancelling", "cancelling", "cancelling", ["done", "cancelling"])
    ledger.tenant_state(C, "voice-prod", VOICE, State.RUNNING)
    ledger.window_started(W2, 2)
    assert states(ledger)[2:] == ("cancelling", ["done", "cancelling"]), "an order is not overrun"
    ledger.tenant_cancelled(C, "voice-prod", VOICE)
    assert states(ledger) == ("cancelled", "cancelled", "cancelled", ["done", "cancelled"])
    assert ledger.status().ended_at is not None
    with pytest.raises(RefusedError, match="is cancelled and cannot become queued"):
        ledger.move(CAMPAIGN, State.QUEUED)


def test_cancelling_what_is_parked_needs_no_proof(ledger: SqlLedger) -> None:
    opened(ledger)
    ledger.tenant_state(C, "voice-prod", VOICE, State.PARKED, "no permission")
    assert states(ledger) == ("parked", "parked", "parked", ["parked", "parked"])
    ledger.move(CAMPAIGN, State.CANCELLING)
    assert states(ledger) == ("cancelled", "cancelled", "cancelled", ["cancelled", "cancelled"])


def test_a_cancelled_cluster_closes_what_never_began(ledger: SqlLedger) -> None:
    ledger.create_campaign(draft(), acme())
    ledger.move(CLUSTER, State.CANCELLING)
    assert states(ledger)[:3] == ("cancelling", "cancelling", "cancelling")
    assert ledger.cluster_closed(C, "voice-prod") is State.CANCELLED
    assert states(ledger) == ("cancelled", "cancelled", "cancelled", ["cancelled", "cancelled"])


def test_pause_lets_work_in_flight_end(ledger: SqlLedger, clock: HandClock) -> None:
    opened(ledger)
    ledger.window_started(W1, 1)
    ledger.move(CAMPAIGN, State.PAUSING)
    assert states(ledger) == ("pausing", "pausing", "pausing", ["running", "queued"])
    assert ledger.paused(C, "voice-prod", VOICE)
    ledger.group_done(G1, [counted()], Verdict.VERIFIED, 1000)
    assert states(ledger) == ("paused", "paused", "paused", ["done", "queued"])
    ledger.move(CAMPAIGN, State.RUNNING)
    assert not ledger.paused(C, "voice-prod", VOICE)
    assert states(ledger)[2] == "partial"
    work(ledger, clock, W2)
    ledger.group_done(G2, [counted()], Verdict.VERIFIED, 1000)
    assert states(ledger)[:3] == ("done", "done", "done")


def test_one_tenant_can_be_paused_alone(ledger: SqlLedger) -> None:
    ledger.create_campaign(
        draft(),
        plan(
            cluster(
                tenant("acme", group(VOICE, days(0, 5))),
                tenant("globex", group("globex_voice", days(0, 5))),
            )
        ),
    )
    ledger.move(TENANT, State.PAUSED)
    assert ledger.paused(C, "voice-prod", VOICE)
    assert not ledger.paused(C, "voice-prod", "globex_voice")
    assert not ledger.paused(C, "voice-prod")
    ledger.window_started(f"{C}/globex_voice/20260101-20260106", 1)
    view = ledger.status()
    assert [t.state for t in view.tenants] == [State.PAUSED, State.RUNNING]
    assert view.state is State.RUNNING


def test_moves_outside_the_table_are_refused(ledger: SqlLedger) -> None:
    ledger.create_campaign(draft(), acme())
    with pytest.raises(RefusedError, match="is queued and cannot become pausing"):
        ledger.move(CAMPAIGN, State.PAUSING)
    assert ledger.move(CAMPAIGN, State.QUEUED) is State.QUEUED, "staying is fine"
    with pytest.raises(UsageError, match="no 'acme-jan-feb-2026/voice-prod/nowhere'"):
        ledger.move(Scope(C, "voice-prod", "nowhere"), State.PAUSED)


def test_recut_keeps_lineage(ledger: SqlLedger, clock: HandClock) -> None:
    opened(ledger)
    ledger.window_started(W1, 1)
    halves = [group(VOICE, days(0, 5), rows=400), group(VOICE, days(5, 10), rows=600)]
    ledger.recut(C, "voice-prod", VOICE, {G1: halves}, "too slow: 40 rows/s")
    view = ledger.status(windows=True).tenants[0]
    assert [(w.id.rpartition("/")[2], w.state, w.parent, w.replaced) for w in view.windows] == [
        ("20260101-20260111", State.CANCELLED, "", True),
        ("20260101-20260106", State.QUEUED, W1, False),
        ("20260106-20260111", State.QUEUED, W1, False),
        ("20260111-20260121", State.QUEUED, "", False),
    ]
    assert (view.windows_total, view.rows_planned) == (3, 2000)
    assert ledger.window(W1).note == "too slow: 40 rows/s"
    groups = [g.id for g in ledger.campaign_plan(C).tenants[0].groups]
    assert (
        groups
        == [
            f"{C}/{VOICE}/group-20260101-20260106",
            f"{C}/{VOICE}/group-20260106-20260111",
            G2,
        ]
        == ledger.todo(C, "voice-prod", VOICE)
    )
    with pytest.raises(RefusedError, match="was cut again"):
        ledger.group_done(G1, [], Verdict.VERIFIED, 0)


def test_a_published_group_cannot_be_cut(ledger: SqlLedger, clock: HandClock) -> None:
    opened(ledger)
    work(ledger, clock, W1)
    ledger.group_done(G1, [counted()], Verdict.VERIFIED, 1000)
    with pytest.raises(RefusedError, match="is published"):
        ledger.recut(C, "voice-prod", VOICE, {G1: [group(VOICE, days(0, 10))]}, "")


# what holds, and the past


def held(rows: int = 10) -> dict[str, HeldCounts]:
    return {"scorecard": HeldCounts(rows, "2026-02-01", rows)}


def test_verified_ranges_are_found_and_superseded(ledger: SqlLedger) -> None:
    ledger.create_campaign(draft(), acme())
    ledger.record_verified("def", {W1: held()})
    ledger.record_verified("def", {W2: held(20)})
    found = ledger.verified("scorecards", "voice-prod", VOICE, days(0, 50))
    assert [(h.interval, h.tables, h.definition, h.voided) for h in found] == [
        (days(10, 20), held(20), "def", ""),
        (days(0, 10), held(), "def", ""),
    ]
    assert ledger.verified("scorecards", "voice-prod", VOICE, days(20, 50)) == []
    assert ledger.verified("other", "voice-prod", VOICE, days(0, 50)) == []
    ledger.record_verified("def2", {W1: held(11)})
    assert [
        h.definition for h in ledger.verified("scorecards", "voice-prod", VOICE, days(0, 10))
    ] == ["def2"]


def test_an_append_voids_what_was_verified(ledger: SqlLedger) -> None:
    ledger.create_campaign(draft(), acme())
    ledger.record_verified("def", {W1: held()})
    ledger.move(CAMPAIGN, State.CANCELLING)
    ledger.cluster_closed(C, "voice-prod")
    ledger.create_campaign(draft("more"), acme(mode=Mode.APPEND))
    ledger.step_begin(f"more/{VOICE}/group-20260101-20260111", 1, "score", "publish")
    (found,) = ledger.verified("scorecards", "voice-prod", VOICE, days(0, 10))
    assert found.voided == "append by more"


def test_rates_come_from_the_tenant_then_the_cluster(ledger: SqlLedger, clock: HandClock) -> None:
    opened(ledger)
    assert ledger.rate("voice-prod", VOICE) is None
    work(ledger, clock, W1, rows=18000)
    clock.turn(500)
    ledger.group_done(G1, [counted()], Verdict.VERIFIED, 18000)
    assert ledger.rate("voice-prod", VOICE) == (1800, "1 window of this tenant, 1,800 rows/s")
    assert ledger.rate("voice-prod", "globex") == (1800, "1 window on voice-prod, 1,800 rows/s")
    assert ledger.rate("east", VOICE) is None
    (entry,) = ledger.history(customer="ac*")
    assert (entry.rows, entry.seconds, entry.verdict) == (18000, 10, Verdict.VERIFIED)
    assert ledger.history(customer="globex") == []


# words


def test_the_journal_is_in_the_facts(ledger: SqlLedger, clock: HandClock) -> None:
    opened(ledger)
    ledger.event(C, "voice-prod", VOICE, W1, "retry", "connection lost; tried again")
    ledger.note(C, "ada@ops1", "told the customer", VOICE)
    ledger.action(CAMPAIGN, "pause", "ada@ops1", "lunch", "running", "pausing")
    ledger.query(C, VOICE, "score", "after", "target", "select 1")
    ledger.query(C, VOICE, "score", "after", "target", "select 2")
    work(ledger, clock, W1)
    ledger.group_done(G1, [counted(), counted("score")], Verdict.VERIFIED, 1000)
    facts = ledger.facts(C)
    assert facts.ledger_id == ledger.ledger_id()
    assert facts.events[0].text == "connection lost; tried again"
    assert facts.notes[0].text == "told the customer"
    assert (facts.actions[0].scope, facts.actions[0].verb) == (CAMPAIGN, "pause")
    assert [q.sql for q in facts.queries] == ["select 2"]
    assert [c.counts for c in facts.counts] == [counted(), counted("score")]
    assert facts.counts[0].interval == days(0, 10)
    assert len(facts.status.tenants[0].windows) == 2


def test_health_and_limits(ledger: SqlLedger) -> None:
    opened(ledger)
    ledger.set_health(C, "voice-prod", VOICE, Health.SLOW, "half its predicted rate")
    ledger.set_limited_by(C, "voice-prod", "source replication lag 40 s")
    view = ledger.status()
    assert (view.tenants[0].health, view.tenants[0].note) == (
        Health.SLOW,
        "slow: half its predicted rate",
    )
    assert view.limited_by == "source replication lag 40 s"
    ledger.set_health(C, "voice-prod", VOICE, Health.HEALTHY)
    assert ledger.status().tenants[0].note == ""
    ledger.set_limits(CAMPAIGN, {"windows": 8, "rows_per_second": 50000})
    ledger.set_limits(TENANT, {"windows": 1})
    ledger.set_limits(CAMPAIGN, {"windows": 6})
    assert ledger.limits(C, "voice-prod") == {"windows": 6, "rows_per_second": 50000}
    assert ledger.limits(C, "voice-prod", VOICE) == {"windows": 1, "rows_per_second": 50000}


def test_the_ledger_id_stays(ledger: SqlLedger, ledger_url: str) -> None:
    again = open_ledger(ledger_url)
    assert again.ledger_id() == ledger.ledger_id()
    again.close()


def test_errors_are_of_the_tree(ledger: SqlLedger) -> None:
    for call in (
        lambda: ledger.request("none"),
        lambda: ledger.campaign_plan("none"),
        lambda: ledger.window("none"),
        lambda: ledger.group_done("none", [], Verdict.VERIFIED, 0),
    ):
        with pytest.raises(WindlassError):
            call()


def test_a_superseding_campaign_says_so(ledger: SqlLedger) -> None:
    idle = plan(cluster(tenant("acme")))
    made = ledger.create_campaign(replace(draft(), supersedes="old"), idle)
    assert made.supersedes == "old"
