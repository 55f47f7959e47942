"""Nobody that discovery found goes missing between discovery and the report."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.ledger.world import HandClock, cluster, counted, days, draft, group, plan, tenant
from windlass.domain.plan import Skipped
from windlass.domain.record import CampaignFacts, StatusView
from windlass.domain.states import State, Verdict
from windlass.ledger import open_ledger
from windlass.ledger.store import SqlLedger
from windlass.report import model
from windlass.report.coverage import KINDS, coverage, gaps

C = "acme-jan-feb-2026"
DONE = ("acme", "brinks", "cox")
BIG = "voice-prod"


@pytest.fixture
def facts(tmp_path: Path) -> CampaignFacts:
    """Four clusters: one at work, one done, one without data, one unknown."""
    clock = HandClock()
    ledger = open_ledger(f"sqlite:///{tmp_path}/windlass.db", clock)
    names = (*DONE, "hilton", "vivint", "spirit")
    busy = [tenant(name, group(f"{name}_voice", days(0, 10))) for name in names]
    left = (Skipped(BIG, "globex", "voice", "left out by --except"),)
    shares = [
        replace(cluster(*busy, tenant("idle"), skipped=left), found=8),
        replace(
            cluster(tenant("cvs", group("cvs_voice", days(0, 10)), cluster="b"), name="b"), found=1
        ),
        replace(cluster(tenant("quiet", cluster="c"), name="c"), found=1),
        cluster(name="d", failure="the source does not answer\n  next: windlass doctor"),
    ]
    ledger.create_campaign(draft(), plan(*shares))
    for name in ("voice-prod", "b"):
        ledger.cluster_state(C, name, State.RUNNING)
    for name in DONE:
        publish(ledger, clock, f"{name}_voice", Verdict.VERIFIED)
    publish(ledger, clock, "cvs_voice", Verdict.VERIFIED)
    publish(ledger, clock, "vivint_voice", Verdict.MISMATCH)
    ledger.group_parked(f"{C}/spirit_voice/group-20260101-20260111", "31,503 rows would go")
    ledger.window_started(f"{C}/hilton_voice/20260101-20260111", 1)
    found = ledger.facts()
    ledger.close()
    return found


def publish(ledger: SqlLedger, clock: HandClock, database: str, verdict: Verdict) -> None:
    window = f"{C}/{database}/20260101-20260111"
    ledger.window_started(window, ledger.begin_attempt(C, window))
    clock.turn(10)
    ledger.window_loaded(window, 1000)
    ledger.group_done(f"{C}/{database}/group-20260101-20260111", [counted()], verdict, 1000)


def without(view: StatusView, customer: str) -> StatusView:
    """As if somebody had lost that tenant on the way."""
    clusters = tuple(
        replace(c, tenants=tuple(t for t in c.tenants if t.customer != customer))
        for c in view.clusters
    )
    skipped = tuple(one for one in view.skipped if one.customer != customer)
    return replace(view, clusters=clusters, skipped=skipped)


def test_every_tenant_is_one_of_the_kinds_and_they_add_up(facts: CampaignFacts) -> None:
    told = model.as_json(model.build(facts))["coverage"]
    assert json.loads(json.dumps(told)) == {
        "found": 10,
        "done": 5,
        "running": 1,
        "waiting": 0,
        "parked": 1,
        "cancelled": 0,
        "nothing_to_do": 2,
        "left_out": 1,
        "unverified": 1,
        "unknown_clusters": ["d"],
        "accounted": 10,
        "complete": False,
    }
    assert sum(told[kind] for kind in KINDS) == told["accounted"]
    assert gaps(facts.status) == []


@pytest.mark.parametrize("lost", ["acme", "idle", "globex", "quiet"])
def test_a_tenant_that_goes_missing_is_shouted(facts: CampaignFacts, lost: str) -> None:
    view = without(facts.status, lost)
    where = "c: 1 tenants found, 0" if lost == "quiet" else f"{BIG}: 8 tenants found, 7"
    assert gaps(view) == [f"{where} accounted for"]
    report = model.build(replace(facts, status=view))
    assert not report.green
    for text in (model.as_markdown(report), model.as_html(report)):
        assert "accounted for" in text
        assert where in text
    assert "- [ ] 9 of 10 tenants that discovery found accounted for" in model.as_markdown(report)


def test_a_name_that_stands_twice_hides_no_other(facts: CampaignFacts) -> None:
    lost = without(facts.status, "globex")
    first = lost.clusters[0]
    twice = replace(first, tenants=(*first.tenants, first.tenants[0]))
    assert gaps(replace(lost, clusters=(twice, *lost.clusters[1:])))


def test_the_log_collapses_who_is_complete_and_lists_the_rest(facts: CampaignFacts) -> None:
    text = model.as_markdown(model.build(facts))
    for line in (
        "| `b` | 1 | 1/1 complete |  |",
        "| `c` | 1 | nothing to do | no data in range |",
        "| `d` | ? | unknown | discovery failed: the source does not answer |",
        "### voice-prod (3/6 complete, 1 in progress, 1 unverified, 1 parked)",
        "| 3 tenants | complete | acme/voice, brinks/voice and cox/voice |",
        "| hilton/voice | running | 0/1 windows done, 0 of 1,000 rows, attempt 1, healthy |",
        "| vivint/voice | mismatch | 1/1 windows done, 1,000 of 1,000 rows, attempt 1 |",
        "| 1 tenant | nothing to do | idle/voice |",
        "| spirit/voice | parked | 0/1 windows done, 0 of 1,000 rows. 31,503 rows would go |",
    ):
        assert line in text, line
    assert "acme/voice |" not in text.partition("## Details")[0].replace("cox/voice |", "")
    page = model.as_html(model.build(facts))
    assert "<h3>voice-prod (3/6 complete" in page
    assert "discovery failed: the source does not answer" in page


def test_a_record_of_before_anybody_counted_is_taken_as_whole(facts: CampaignFacts) -> None:
    clusters = tuple(replace(one, found=None) for one in facts.status.clusters)
    assert coverage(replace(facts.status, clusters=clusters)).found == 10


def test_the_parameters_say_who_went_first_and_in_which_world(facts: CampaignFacts) -> None:
    asked = replace(facts.plan.request, canary=("acme/voice",), priority=(("cox", 5),))
    made = replace(facts, plan=replace(facts.plan, request=asked))
    text = model.as_markdown(model.build(made))
    for line in ("| Canaries | `acme/voice` |", "| Priority | `cox` 5 |", "| World | world |"):
        assert line in text, line
