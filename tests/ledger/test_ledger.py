"""The ledger's contract: every test runs on SQLite and on PostgreSQL."""

import pytest

from tests.ledger.steps import CAMPAIGN, G1, G2, VOICE, W1, W2, C, opened, states, work
from tests.ledger.world import (
    NOW,
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
    OverlapError,
    PlanError,
    RefusedError,
    UnreachableError,
    UsageError,
)
from windlass.domain.plan import Guard, HeldWindow
from windlass.domain.results import Removed, TableLoad
from windlass.domain.states import State, Verdict
from windlass.ledger.store import SqlLedger
from windlass.ports import Ledger, LedgerReader, LedgerWriter


def test_it_serves_all_three_ports(ledger: SqlLedger) -> None:
    ports: tuple[Ledger, LedgerReader, LedgerWriter] = (ledger, ledger, ledger)
    assert all(ports)


# requests and plans


def test_a_request_is_answered(ledger: SqlLedger) -> None:
    request = ledger.create_request("plan", "voice-prod", '{"a": 1}')
    with pytest.raises(UnreachableError, match="no answer yet"):
        ledger.answer(request)
    assert ledger.request(request) == ("plan", '{"a": 1}')
    ledger.finish_request(request, "[1]")
    assert ledger.answer(request) == "[1]"


def test_a_try_that_a_later_one_overtook_answers_nothing(ledger: SqlLedger) -> None:
    request = ledger.create_request("plan", "voice-prod", "{}")
    ledger.request(request, 1)
    ledger.request(request, 2)
    ledger.fail_request(request, UnreachableError("its session was ended by the second"), 1)
    ledger.finish_request(request, "[1]", 1)
    with pytest.raises(UnreachableError, match="no answer yet"):
        ledger.answer(request)
    ledger.finish_request(request, "[2]", 2)
    assert ledger.answer(request) == "[2]"


def test_a_failed_request_raises_its_error_again(ledger: SqlLedger) -> None:
    request = ledger.create_request("plan", "voice-prod", "{}")
    ledger.fail_request(request, PlanError("no column x", where="a.b", why="gone", next_step="add"))
    with pytest.raises(PlanError) as caught:
        ledger.answer(request)
    assert (caught.value.where, caught.value.why, caught.value.next_step) == ("a.b", "gone", "add")


def test_plans_come_back_exactly(ledger: SqlLedger) -> None:
    name = ledger.save_plan(acme())
    assert ledger.plan(name) == acme()
    assert ledger.save_plan(acme()) == name
    with pytest.raises(UsageError, match="no plan"):
        ledger.plan("plan-none")


# campaigns


def test_a_campaign_is_created_whole(ledger: SqlLedger) -> None:
    made = ledger.create_campaign(draft(), acme())
    assert (made.name, made.state, made.who, made.reason) == (
        C,
        State.QUEUED,
        "ada@ops1",
        "PR 25653",
    )
    assert made == ledger.campaign() == ledger.campaign(C) == ledger.campaigns()[0]
    bound = ledger.campaign_plan(C)
    assert [w.id for w in bound.tenants[0].windows] == [W1, W2]
    assert [g.id for g in bound.tenants[0].groups] == [G1, G2]
    view = ledger.status(windows=True)
    assert [(t.database, t.state, t.windows_total) for t in view.tenants] == [
        (VOICE, State.QUEUED, 2),
        ("acme_sandbox_sandbox", State.NOTHING_TO_DO, 0),
    ]
    assert view.skipped[0].reason == "no database acme_chat"
    assert (view.clusters[0].tenants_total, view.clusters[0].tenants_done) == (2, 1)
    assert ledger.todo(C, "voice-prod", VOICE) == [G1, G2]


def test_default_names_stay_unique_and_given_ones_are_refused(ledger: SqlLedger) -> None:
    idle = plan(cluster(tenant("acme")))
    names = [ledger.create_campaign(draft(), idle).name for _ in range(3)]
    assert names == [C, f"{C}-2", f"{C}-3"]
    assert ledger.create_campaign(draft("mine"), idle).name == "mine"
    with pytest.raises(RefusedError, match="the name mine is taken"):
        ledger.create_campaign(draft("mine"), idle)
    with pytest.raises(RefusedError, match="--name my-run"):
        ledger.create_campaign(draft("My/Run"), idle)


def test_an_overlap_is_refused_naming_the_other(ledger: SqlLedger) -> None:
    ledger.create_campaign(draft(), acme())
    with pytest.raises(OverlapError) as caught:
        ledger.create_campaign(draft("second"), acme())
    text = str(caught.value)
    assert f"campaign {C} (queued) already holds this tenant" in text
    assert "ada@ops1 started it at 2026-02-19 21:23 UTC: PR 25653" in text
    assert f"windlass cancel {C}" in text
    assert caught.value.exit_code == 4
    assert [c.name for c in ledger.campaigns()] == [C], "a refused one leaves nothing"


def test_touching_ranges_other_tenants_and_final_campaigns_do_not_overlap(
    ledger: SqlLedger,
) -> None:
    ledger.create_campaign(draft(), acme())
    later = plan(cluster(tenant("acme", group(VOICE, days(50, 60)))), interval=days(50, 60))
    ledger.create_campaign(draft("later"), later)
    ledger.create_campaign(
        draft("other"), plan(cluster(tenant("globex", group("globex_voice", days(0, 5)))))
    )
    ledger.move(CAMPAIGN, State.CANCELLING)
    ledger.cluster_closed(C, "voice-prod")
    ledger.create_campaign(draft("again"), acme())


def test_one_database_on_two_clusters_keeps_its_ids_apart(ledger: SqlLedger) -> None:
    both = plan(
        cluster(tenant("acme", group(VOICE, days(0, 5)))),
        cluster(tenant("acme", group(VOICE, days(0, 5)), cluster="east"), name="east"),
    )
    ledger.create_campaign(draft(), both)
    ids = [w.id for t in ledger.status(windows=True).tenants for w in t.windows]
    assert ids == [
        f"{C}/voice-prod/{VOICE}/20260101-20260106",
        f"{C}/east/{VOICE}/20260101-20260106",
    ]


def test_what_was_verified_before_is_done_and_failed_discovery_is_unknown(
    ledger: SqlLedger,
) -> None:
    held = HeldWindow("old", days(0, 50), True, "counts unchanged")
    ledger.create_campaign(
        draft(),
        plan(cluster(tenant("acme", held=(held,))), cluster(name="east", failure="no answer")),
    )
    view = ledger.status()
    assert [c.state for c in view.clusters] == [State.DONE, State.UNKNOWN]
    assert "old" in view.tenants[0].note
    assert (view.state, view.clusters[1].note) == (State.UNKNOWN, "no answer")


def test_a_mistyped_campaign_is_told_the_nearest(ledger: SqlLedger) -> None:
    with pytest.raises(UsageError, match="no campaign yet"):
        ledger.status()
    ledger.create_campaign(draft(), acme())
    with pytest.raises(UsageError, match=f"did you mean {C}"):
        ledger.status("acme-jan-2026")


def test_the_guard_can_be_changed_for_a_retry(ledger: SqlLedger) -> None:
    ledger.create_campaign(draft(), acme())
    ledger.set_guard(C, Guard(0.5, {"scorecard": 31503}, True))
    assert ledger.campaign_plan(C).request.guard == Guard(0.5, {"scorecard": 31503}, True)


# work


def test_the_life_of_a_campaign(ledger: SqlLedger, clock: HandClock) -> None:
    opened(ledger)
    assert states(ledger) == ("running", "running", "running", ["queued", "queued"])
    assert work(ledger, clock, W1) == 1
    ledger.group_done(G1, [counted()], Verdict.VERIFIED, 1000)
    assert states(ledger) == ("partial", "partial", "partial", ["done", "queued"])
    work(ledger, clock, W2)
    assert ledger.todo(C, "voice-prod", VOICE) == [G2]
    ledger.group_done(G2, [counted()], Verdict.VERIFIED, 1000)
    assert ledger.tenant_rolled_up(C, "voice-prod", VOICE) is State.DONE
    assert ledger.cluster_closed(C, "voice-prod") is State.DONE
    view = ledger.status()
    assert (view.state, view.verdict, view.rows_loaded) == (State.DONE, Verdict.VERIFIED, 2000)
    assert view.ended_at == clock.at
    assert view.started_at == NOW
    assert view.rows_per_second == pytest.approx(100)
    assert view.eta_seconds is None


def test_a_mismatch_stays_visible(ledger: SqlLedger, clock: HandClock) -> None:
    opened(ledger)
    work(ledger, clock, W1)
    ledger.group_done(G1, [counted()], Verdict.MISMATCH, 1000)
    work(ledger, clock, W2)
    ledger.group_done(G2, [counted()], Verdict.VERIFIED, 1000)
    view = ledger.status(windows=True)
    assert (view.state, view.verdict) == (State.DONE, Verdict.MISMATCH)
    assert [w.verdict for w in view.tenants[0].windows] == [Verdict.MISMATCH, Verdict.VERIFIED]


def test_attempts_are_never_given_twice(ledger: SqlLedger) -> None:
    opened(ledger)
    assert [ledger.begin_attempt(C, W1) for _ in range(3)] == [1, 2, 3]
    assert ledger.begin_attempt(C, W2) == 1
    ledger.begin_attempt(C, f"{G1}/guard")
    ledger.begin_attempt(C, G1)
    found = {(a.subject, a.number) for a in ledger.group_subjects(G1)}
    assert found == {(W1, 1), (W1, 2), (W1, 3), (f"{G1}/guard", 1), (G1, 1)}
    assert {(a.subject, a.number) for a in ledger.retire_tenant(C, "voice-prod", VOICE)} >= found


def test_opening_twice_changes_nothing(ledger: SqlLedger, clock: HandClock) -> None:
    opened(ledger)
    work(ledger, clock, W1)
    ledger.group_done(G1, [counted()], Verdict.VERIFIED, 1000)
    ledger.cluster_state(C, "voice-prod", State.RUNNING)
    ledger.tenant_state(C, "voice-prod", VOICE, State.RUNNING)
    assert states(ledger)[:3] == ("partial", "partial", "partial")


def test_a_retried_window_starts_from_zero(ledger: SqlLedger, clock: HandClock) -> None:
    opened(ledger)
    ledger.window_started(W1, 1)
    ledger.progress(W1, 1, 600)
    assert ledger.window(W1).rows == 600
    ledger.window_started(W1, 2)
    assert ledger.window(W1).rows == 0
    ledger.progress(W1, 2, 100)
    ledger.progress(W1, 1, 900)
    assert ledger.window(W1).rows == 100, "the word of a dead attempt does not count"
    assert ledger.window(W1).attempts == 2


def test_the_rate_is_that_of_the_last_seconds(ledger: SqlLedger, clock: HandClock) -> None:
    opened(ledger)
    ledger.window_started(W1, 1)
    for second in range(1, 61):
        clock.turn(1)
        ledger.progress(W1, 1, 10 * second if second <= 30 else 300 + 2 * (second - 30))
    view = ledger.status()
    assert view.rows_per_second == pytest.approx(2, rel=0.01)
    assert view.rows_loaded == 360
    assert view.eta_seconds == pytest.approx((1000 - 360 + 1000) / 2, rel=0.01)
    clock.turn(60)
    assert ledger.status().rows_per_second == 0, "a hung window moves nothing"
    assert ledger.status().eta_seconds is not None


def test_short_windows_count_in_the_rate(ledger: SqlLedger, clock: HandClock) -> None:
    opened(ledger)
    clock.turn(100)
    ledger.window_started(W1, 1)
    clock.turn(1)
    ledger.window_loaded(W1, 500)
    clock.turn(1)
    assert ledger.status().rows_per_second == pytest.approx(50)


def test_rows_by_table_and_removed(ledger: SqlLedger) -> None:
    one = plan(cluster(tenant("acme", group(VOICE, days(0, 5), days(5, 10)))))
    ledger.create_campaign(draft(), one)
    first, second = (w.id for w in ledger.campaign_plan(C).tenants[0].windows)
    whole = ledger.campaign_plan(C).tenants[0].groups[0].id
    ledger.window_loaded(first, 7, [TableLoad("score", 7, 1.0)])
    ledger.window_loaded(first, 10, [TableLoad("score", 10, 1.0)])
    ledger.window_loaded(second, 5, [TableLoad("score", 5, 1.0)])
    assert ledger.table_rows(whole, "score") == 15
    assert ledger.table_rows(whole, "scorecard") == 0
    assert ledger.removed(whole, "score") is None
    removed = Removed(10, 12, 3, {"appeal_requests": 2}, 1, 2, 0)
    ledger.record_removed(whole, "score", Removed(1, 1, 1))
    ledger.record_removed(whole, "score", removed)
    assert ledger.removed(whole, "score") == removed


def test_marks_before_and_after_publish(ledger: SqlLedger) -> None:
    ledger.create_campaign(draft(), acme())
    assert not ledger.publish_begun(G1, "score")
    ledger.step_begin(G1, 1, "score", "publish")
    assert ledger.publish_begun(G1, "score")
    assert not ledger.publish_begun(G1, "scorecard")
    assert ledger.steps(G1)[0].ended_at is None
    ledger.step_end(G1, 1, "score", "publish", {"partitions": 2, "gap": 0.5, "path": "swap"})
    (step,) = ledger.steps(G1)
    assert step.facts == {"partitions": 2, "gap": 0.5, "path": "swap"}
    assert step.ended_at == NOW


def test_trouble_is_told_until_work_goes_on(ledger: SqlLedger, clock: HandClock) -> None:
    opened(ledger)
    ledger.trouble(C, "voice-prod", VOICE, W1, "ClickHouse does not answer\n  why: refused")
    tenant = ledger.status().clusters[0].tenants[0]
    assert tenant.note == "trying again: ClickHouse does not answer"
    assert [e.kind for e in ledger.events(C) if e.subject == W1] == ["retry"]
    work(ledger, clock, W1)
    assert ledger.status().clusters[0].tenants[0].note == ""


def test_trouble_does_not_hide_why_a_group_is_parked(ledger: SqlLedger, clock: HandClock) -> None:
    opened(ledger)
    ledger.group_parked(G1, "int8 overflows")
    ledger.trouble(C, "voice-prod", VOICE, W2, "ClickHouse does not answer")
    work(ledger, clock, W2)
    assert ledger.status().clusters[0].tenants[0].note == "int8 overflows"
