"""A finished campaign with the shape of the work log that it replaces."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ledger.world import HandClock, cluster, days, draft, group, plan, tenant
from windlass.domain.plan import Skipped
from windlass.domain.record import CampaignFacts, Scope
from windlass.domain.results import TableCounts
from windlass.domain.states import State, Verdict
from windlass.ledger import open_ledger
from windlass.ledger.store import SqlLedger

PARTS = (
    (60_000, 520_000),
    (60_000, 520_000),
    (60_000, 520_000),
    (60_000, 520_000),
    (58_791, 529_114),
)
"""Rows of scorecard and score in five windows: 298,791 and 2,609,114 together."""
BEFORE = ((330_294, 2_881_300),)
C = "acme-jan-feb-2026"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def ledger(tmp_path: Path, clock: HandClock) -> Iterator[SqlLedger]:
    opened = open_ledger(f"sqlite:///{tmp_path}/windlass.db", clock)
    spans = [days(10 * n, 10 * n + 10) for n in range(5)]
    groups = [
        group("acme_voice", span, rows=sum(rows)) for span, rows in zip(spans, PARTS, strict=True)
    ]
    idle = [tenant("acme", profile=name) for name in ("medsupp", "sandbox")]
    left = (Skipped("voice-prod", "acme", "chat", "no database acme_chat"),)
    opened.create_campaign(draft(), plan(cluster(tenant("acme", *groups), *idle, skipped=left)))
    opened.cluster_state(C, "voice-prod", State.RUNNING)
    yield opened
    opened.close()


def counts(place: int, *, unexplained: int = 0) -> list[TableCounts]:
    """The figures of one window: removed is all that was live, as in the log."""
    made = []
    for name, loaded, gone in zip(
        ("scorecard", "score"),
        PARTS[place],
        (6_300, 54_437) if place < 4 else (6_303, 54_438),
        strict=True,
    ):
        before = loaded + gone
        told = {"appeal_requests": gone - unexplained}
        made.append(
            TableCounts(
                name,
                before,
                before,
                loaded,
                loaded,
                told,
                unexplained=unexplained,
                raw=before + 10 if name == "score" else None,
                verdict=Verdict.VERIFIED,
                path="swap",
            )
        )
    return made


def finish(ledger: SqlLedger, clock: HandClock, *, windows: int = 5, unexplained: int = 0) -> None:
    """Run that many windows, 324 seconds each."""
    groups = ledger.campaign_plan(C).tenants[0].groups[:windows]
    for place, one in enumerate(groups):
        window = one.windows[0]
        ledger.window_started(window.id, ledger.begin_attempt(C, window.id))
        clock.turn(324)
        ledger.window_loaded(window.id, window.rows)
        ledger.group_done(
            one.id, counts(place, unexplained=unexplained), Verdict.VERIFIED, window.rows
        )
    ledger.event(C, "voice-prod", "acme_voice", groups[0].id, "retry", "connection lost; again")
    ledger.note(C, "ada@ops1", "told the customer | <b>all</b> good")
    ledger.action(Scope(C), "limit", "ada@ops1", "night", "windows=8", "windows=2")
    sql = "SELECT count() FROM acme_voice.score FINAL"
    ledger.query(C, "acme_voice", "score", "rows after", "target", sql)


@pytest.fixture
def done(ledger: SqlLedger, clock: HandClock) -> CampaignFacts:
    """All five windows verified."""
    finish(ledger, clock)
    return ledger.facts()
