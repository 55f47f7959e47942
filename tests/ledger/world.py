"""Plans to make campaigns from, a clock to turn by hand, and a ledger on either database."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from windlass.domain.dataset import Dataset, Exclusion, ParentLink, TableSpec, TenantColumns
from windlass.domain.plan import (
    ClusterPlan,
    GroupPlan,
    GroupTable,
    Guard,
    HeldWindow,
    Plan,
    Request,
    Skipped,
    TablePlan,
    TenantPlan,
    WindowPlan,
)
from windlass.domain.record import CampaignDraft
from windlass.domain.results import TableCounts
from windlass.domain.schema import ColumnPair, Removal
from windlass.domain.states import Mode, Path, Verdict
from windlass.domain.tenant import Tenant
from windlass.domain.window import Interval

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 2, 19, 21, 23, tzinfo=UTC)


@dataclass
class HandClock:
    """Shows what it was set to."""

    at: datetime = NOW

    def now(self) -> datetime:
        """The hand's place."""
        return self.at

    def turn(self, seconds: float) -> None:
        """Move on."""
        self.at += timedelta(seconds=seconds)


def days(first: int, last: int) -> Interval:
    """From day `first` of 2026 up to, not including, day `last`; the first day is 0."""
    return Interval(START + timedelta(days=first), START + timedelta(days=last))


SCORECARD = TableSpec(
    name="scorecard",
    relation="app.scorecards",
    time="created_at",
    key=("scorecard_id",),
    version="updated_at",
    tenant=TenantColumns("customer_id", "profile_id"),
    exclusions=(Exclusion("appeal_requests", "t.scorecard_type = 'appeal_request'"),),
)
SCORE = TableSpec(
    name="score",
    relation="app.scores",
    time="created_at",
    key=("score_id",),
    parent=ParentLink("scorecard", (("scorecard_id", "scorecard_id"),)),
)
DATASET = Dataset("scorecards", (SCORECARD, SCORE), tenants_query="select a, b from app.scorecards")
PAIR = ColumnPair(
    "score_id", "bigint", "Int64", "{c}", "{c}::text", "toString({c})", "toString({c})"
)


def group(database: str, *spans: Interval, rows: int = 1000) -> GroupPlan:
    """One publish group with a window for each span."""
    windows = tuple(WindowPlan(f"{database}/{span}", span, rows) for span in spans)
    whole = Interval(spans[0].start, spans[-1].end)
    tables = tuple(GroupTable(one.name, Path.SWAP, (whole,)) for one in DATASET.tables)
    return GroupPlan(f"{database}/group-{whole}", windows, tables)


def tenant(
    customer: str,
    *groups: GroupPlan,
    cluster: str = "voice-prod",
    profile: str = "voice",
    held: tuple[HeldWindow, ...] = (),
) -> TenantPlan:
    """One tenant's plan."""
    database = f"{customer}_{profile}".replace("-", "_")
    rows = sum(one.rows for one in groups)
    table = TablePlan(
        "scorecard", (PAIR,), ("legacy",), "abc", Path.IN_PLACE, Removal.PATCH, "no gap", "whole"
    )
    return TenantPlan(
        tenant=Tenant(cluster, customer, profile, database),
        rows={"scorecard": rows, "score": 0},
        excluded={"appeal_requests": {"scorecard": 5}} if groups else {},
        before={"scorecard": rows + 5 if groups else 0, "score": 0},
        null_time={},
        tables=(table, replace(table, table="score")),
        groups=groups,
        held=held,
        estimate_seconds=12.5 if groups else None,
    )


def cluster(
    *tenants: TenantPlan,
    name: str = "voice-prod",
    skipped: tuple[Skipped, ...] = (),
    failure: str = "",
) -> ClusterPlan:
    """One cluster's plan."""
    return ClusterPlan(name, tenants, skipped, failure)


def plan(
    *clusters: ClusterPlan, interval: Interval | None = None, mode: Mode = Mode.REPLACE
) -> Plan:
    """The whole plan."""
    names = tuple(one.cluster for one in clusters)
    request = Request(
        DATASET,
        names,
        ("acme", "acme-*"),
        interval or days(0, 50),
        mode,
        guard=Guard(0.01, {}, False),
    )
    return Plan(request, clusters, "world", NOW)


def acme(*, windows: int = 2, mode: Mode = Mode.REPLACE) -> Plan:
    """One tenant with one group a window of ten days, one with nothing to do, one left out."""
    spans = [days(10 * n, 10 * n + 10) for n in range(windows)]
    groups = [group("acme_voice", span) for span in spans]
    skipped = (Skipped("voice-prod", "acme", "chat", "no database acme_chat"),)
    idle = tenant("acme-sandbox", profile="sandbox")
    return plan(cluster(tenant("acme", *groups), idle, skipped=skipped), mode=mode)


def draft(name: str | None = None, default: str = "acme-jan-feb-2026") -> CampaignDraft:
    """An operator's intent."""
    return CampaignDraft(
        name, default, "ada@ops1", "PR 25653", "windlass run voice-prod acme 2026-01-01 2026-02-20"
    )


def counted(table: str = "scorecard", *, before: int = 1005, loaded: int = 1000) -> TableCounts:
    """A verified table with five appeals removed."""
    gone = before - loaded
    return TableCounts(
        table,
        before,
        before,
        loaded,
        loaded,
        {"appeal_requests": gone} if gone else {},
        verdict=Verdict.VERIFIED,
        path="swap",
    )
