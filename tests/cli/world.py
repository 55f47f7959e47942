"""A fleet without servers: the real settings, planner and ledger behind a backend to script."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from windlass.cli.backend import OnWait, Reply, Start
from windlass.cli.main import app
from windlass.cli.session import Session
from windlass.cli.temporal_undo import by_tenant
from windlass.domain import codec
from windlass.domain.dataset import Dataset
from windlass.domain.errors import WindlassError
from windlass.domain.orders import Change, LimitChange, Order
from windlass.domain.plan import ClusterPlan, Guard, HeldWindow, Plan, Request, Skipped, TenantPlan
from windlass.domain.record import CampaignDraft, Scope
from windlass.domain.results import Bucket, SliceCount, TableVerification
from windlass.domain.schema import Removal, TargetColumn, TargetTable
from windlass.domain.states import State
from windlass.domain.tenant import Tenant, TenantPattern
from windlass.domain.undo import GroupUndo, UndoOrder
from windlass.domain.window import Interval
from windlass.engine.activities.cutting import cut
from windlass.engine.activities.errands import Affected, Finding
from windlass.engine.activities.tidy import Orphan
from windlass.engine.activities.verify import Question
from windlass.engine.payloads import CutOrder
from windlass.engine.payloads.orders import GroupOutcome, UndoResult
from windlass.ledger import open_ledger
from windlass.ledger.store import SqlLedger
from windlass.planner.build import TableFacts, plan_of, tenant_plan
from windlass.planner.order import in_order
from windlass.planner.pace import Pace
from windlass.ports import CheckSchedule
from windlass.settings import Fleet, load

NOW = datetime(2026, 2, 19, 21, 23, tzinfo=UTC)
JANUARY = Interval(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
SECRETS = ("pg-secret", "ch-secret")

CONFIG = """\
ledger: sqlite:///windlass.db
clusters:
  voice-prod:
    source: {url: "postgresql://reader:pg-secret@127.0.0.1:1/app"}
    target: {url: "http://windlass:ch-secret@127.0.0.1:1"}
    limits: {windows: 4, windows_per_tenant: 2}
  chat-prod:
    source: {url: "postgresql://reader:pg-secret@127.0.0.1:1/app"}
    target: {url: "http://windlass:ch-secret@127.0.0.1:1"}
datasets:
  scorecards:
    tenants: {query: "select distinct customer_id, profile_id from app.scorecards"}
    tables:
      scorecard:
        from: app.scorecards
        tenant: {customer: customer_id, profile: profile_id}
        time: created_at
        key: [scorecard_id]
        version: updated_at
        exclude: {appeal_requests: "t.scorecard_type = 'appeal_request'"}
      score:
        from: app.scores
        parent: {table: scorecard, on: {scorecard_id: scorecard_id}}
        time: created_at
        key: [score_id]
"""


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


@dataclass
class Rows:
    """What both servers hold of one tenant, per table: kept, excluded, live."""

    kept: Mapping[str, int] = field(default_factory=lambda: {"scorecard": 298, "score": 2609})
    excluded: Mapping[str, int] = field(default_factory=lambda: {"scorecard": 31, "score": 272})
    live: Mapping[str, int] = field(default_factory=lambda: {"scorecard": 329, "score": 2881})
    null_time: int = 0
    ddl: str = "abc"
    held: tuple[HeldWindow, ...] = ()


EMPTY = Rows({"scorecard": 0, "score": 0}, {}, {"scorecard": 0, "score": 0})


@dataclass
class FakeBackend:
    """Answers from `tenants`; campaigns go into a real ledger, and what happens to them while
    somebody looks is `script`: one entry per look."""

    fleet: Fleet
    ledger: SqlLedger
    clock: HandClock
    tenants: dict[tuple[str, str, str], Rows]
    failures: dict[str, str] = field(default_factory=dict)
    verifications: list[Reply[Sequence[TableVerification]]] = field(default_factory=list)
    holding: list[Reply[Sequence[Affected]]] = field(default_factory=list)
    findings: dict[str, Sequence[Finding] | WindlassError] = field(default_factory=dict)
    reached: Sequence[tuple[str, str, str]] = (("ok", "Temporal answers", ""),)
    pulse_errors: list[WindlassError] = field(default_factory=list)
    started: list[tuple[Plan, Start]] = field(default_factory=list)
    cancelled: list[tuple[str, str, str]] = field(default_factory=list)
    undone: list[tuple[tuple[str, ...], UndoOrder]] = field(default_factory=list)
    undo_results: list[UndoResult] = field(default_factory=list)
    split_up: list[Mapping[str, Sequence[CutOrder]]] = field(default_factory=list)
    left: dict[str, Sequence[Orphan]] = field(default_factory=dict)
    cleaned: list[Orphan] = field(default_factory=list)
    served: list[tuple[str, ...]] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    servers: str = "here"

    def plan(self, request: Request, on_wait: OnWait) -> Plan:
        """Plan with the real planner."""
        self.asked.append(request)
        shares = [self._share(request, name) for name in request.clusters]
        return plan_of(request, shares, self.clock.now())

    def _share(self, request: Request, cluster: str) -> ClusterPlan:
        if cluster in self.failures:
            return ClusterPlan(cluster, (), failure=self.failures[cluster])
        chosen, skipped = [], []
        for key, rows in self.tenants.items():
            tenant = Tenant(*key, f"{key[1]}_{key[2]}".replace("-", "_"))
            if tenant.cluster != cluster:
                continue
            if _any(request.excepted, tenant):
                skipped.append(Skipped(*key, "left out by --except"))
            elif _any(request.tenants, tenant):
                chosen.append(planned(request, tenant, rows))
            else:
                skipped.append(Skipped(*key, "not asked for"))
        ordered, found = in_order(request, chosen), len(chosen) + len(skipped)
        return ClusterPlan(cluster, ordered, tuple(skipped), "", found, self.servers)

    def verify(
        self, question: Question, on_wait: OnWait
    ) -> list[Reply[Sequence[TableVerification]]]:
        """As scripted."""
        self.asked.append(question.request)
        self.questions.append(question)
        return self.verifications

    def schedule_check(self, check: CheckSchedule, question: Question) -> None:
        """Into the real ledger, with nothing behind it."""
        self.ledger.save_check(replace(check, question=codec.dump(question)))

    def unschedule_check(self, check: CheckSchedule) -> None:
        """Out of it."""
        self.ledger.end_check(check.name, check.cluster)

    def affected(
        self, request: Request, exclusion: str, on_wait: OnWait
    ) -> list[Reply[Sequence[Affected]]]:
        """As scripted."""
        self.asked.append(request)
        return self.holding

    def doctor(self, cluster: str, on_wait: OnWait) -> Sequence[Finding]:
        """As scripted."""
        found = self.findings.get(cluster, ())
        if isinstance(found, WindlassError):
            raise found
        return found

    def reach(self, cluster: str) -> Sequence[tuple[str, str, str]]:
        """As scripted."""
        return self.reached

    def grants(self, cluster: str) -> Mapping[str, Sequence[str]]:
        """One statement each."""
        return {"source": ["GRANT SELECT ON app.scorecards TO reader;"], "target": ["GRANT …;"]}

    def start(self, plan: Plan, start: Start) -> str:
        """Into the real ledger, with nothing behind it."""
        self.started.append((plan, start))
        draft = CampaignDraft(start.name, start.name, start.who, start.reason, start.command)
        draft = replace(draft, supersedes=start.supersedes)
        return self.ledger.create_campaign(draft, plan).name

    def cancel(self, campaign: str, who: str, reason: str) -> None:
        """Asked for; the script says when it is done."""
        self.cancelled.append((campaign, who, reason))
        self.ledger.move(Scope(campaign), State.CANCELLING, reason)

    def order(self, order: Order, guard: Guard | None = None) -> list[Change]:
        """In the real ledger, with nothing behind it."""
        changes = self.ledger.order(order)
        if guard is not None:
            self.ledger.set_guard(order.campaign, guard)
        return changes

    def limit(
        self,
        scopes: Sequence[Scope],
        limits: Mapping[str, int | None],
        who: str,
        why: str,
    ) -> list[LimitChange]:
        """In the real ledger, with nothing behind it."""
        return self.ledger.limit(scopes, limits, who, why)

    def split(self, campaign: str, cuts: Mapping[str, Sequence[CutOrder]]) -> None:
        """Asked for, and done in the real ledger."""
        self.split_up.append(cuts)
        for cluster, orders in cuts.items():
            for one in orders:
                self._cut(campaign, cluster, one)

    def _cut(self, campaign: str, cluster: str, order: CutOrder) -> None:
        plan = self.ledger.campaign_plan(campaign)
        wanted = (cluster, order.database)
        tenant = next(t for t in plan.tenants if (t.tenant.cluster, t.tenant.database) == wanted)
        group = next(g for g in tenant.groups if g.id == order.group)
        into = timedelta(seconds=order.into_seconds) if order.into_seconds else None
        made = cut(tenant, group, plan.request.mode, window=order.window, into=into)
        self.ledger.recut(campaign, *wanted, {group.id: made}, f"cut by {order.who}")

    def undo(
        self,
        campaign: str,
        dataset: str,
        groups: Sequence[GroupUndo],
        order: UndoOrder,
        on_wait: OnWait,
    ) -> Sequence[UndoResult]:
        """As scripted; what is not scripted is done in the real ledger."""
        self.undone.append((tuple(one.group for one in groups), order))
        if self.undo_results:
            return self.undo_results
        for one in groups:
            self.ledger.undo_begun(one.group, order)
            self.ledger.undo_ended(one.group, "put back")
        return [
            UndoResult(tuple(GroupOutcome(one.group, True, "put back") for one in mine))
            for mine in by_tenant(groups).values()
        ]

    def orphans(self, cluster: str, on_wait: OnWait) -> Sequence[Orphan]:
        """As scripted."""
        return self.left.get(cluster, ())

    def clean(self, cluster: str, orphans: Sequence[Orphan], on_wait: OnWait) -> Sequence[Orphan]:
        """All of them go."""
        self.cleaned += orphans
        return orphans

    def pulse(self, campaign: str) -> None:
        """As scripted."""
        if self.pulse_errors:
            raise self.pulse_errors.pop(0)

    def run_worker(self, clusters: Sequence[str]) -> int:
        """Serves nobody."""
        self.served.append(tuple(clusters))
        return 0


def _any(patterns: Sequence[str], tenant: Tenant) -> bool:
    return any(TenantPattern.parse(p).matches(tenant) for p in patterns)


def planned(request: Request, tenant: Tenant, rows: Rows) -> TenantPlan:
    """One tenant's plan: rows spread evenly over the days of January, monthly partitions."""
    facts = [_facts(request.dataset, tenant, name, rows, request.interval) for name in rows.kept]
    days = list(
        request.interval.split(request.interval.start + timedelta(days=d) for d in range(1, 60))
    )
    total = sum(rows.kept.values())
    buckets = [Bucket(day, {"score": total // len(days) or 1}) for day in days] if total else []
    held = rows.held if not request.redo else ()
    pace = Pace(0.0, 1 / 1795, 0.8, 1.5, "this tenant")
    return tenant_plan(request, tenant, facts, buckets, held, pace)


def _facts(
    dataset: Dataset, tenant: Tenant, name: str, rows: Rows, interval: Interval
) -> TableFacts:
    live = TargetTable(
        tenant.database,
        name,
        "ReplacingMergeTree",
        "toYYYYMM(created_at)",
        "id",
        (TargetColumn("created_at", "DateTime64(6)"),),
        version="updated_at",
        create_hash=rows.ddl,
        removal=Removal.PATCH,
    )
    excluded = {"appeal_requests": n} if (n := rows.excluded.get(name)) else {}
    return TableFacts(
        spec=dataset.table(name),
        live=live,
        columns=(),
        left_out=("legacy",),
        whole=(interval,) if interval == JANUARY else (),
        count=SliceCount(rows.kept[name], excluded),
        before=rows.live[name],
        null_time=rows.null_time,
    )


@dataclass
class Cli:
    """The command line over a fake backend. `script` is what happens while a command waits."""

    backend: FakeBackend
    clock: HandClock
    directory: Path
    interactive: bool = False
    answers: list[bool] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    script: list[Callable[[], None]] = field(default_factory=list)
    opened: list[Path | None] = field(default_factory=list)
    columns: int = 200
    confirm: Callable[[str], bool] | None = None

    def run(self, *words: str) -> Result:
        """Run a command line."""
        session = Session(
            open=self._open,
            now=self.clock.now,
            wait=self._wait,
            interactive=lambda: self.interactive,
            confirm=self.confirm or self._confirm,
            who=lambda: "ada@ops1",
        )
        environ = {"COLUMNS": str(self.columns)}
        return CliRunner(env=environ).invoke(app, list(words), obj=session)

    def json(self, *words: str, code: int = 0) -> Any:
        """Run it with `-o json`; what stdout holds."""
        done = self.run(*words, "-o", "json")
        assert done.exit_code == code, done.output
        return json.loads(done.stdout)

    def _open(self, config: Path | None) -> FakeBackend:
        self.opened.append(config)
        return self.backend

    def _wait(self, seconds: float) -> None:
        self.clock.turn(seconds)
        assert self.script, "the command waits, and nothing is going to happen"
        self.script.pop(0)()

    def _confirm(self, question: str) -> bool:
        self.questions.append(question)
        return self.answers.pop(0)


def make_cli(directory: Path) -> Cli:
    """A fleet with two clusters and a few tenants, in that directory."""
    config = directory / "windlass.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    fleet, clock = load(config), HandClock()
    tenants = {
        ("voice-prod", "acme", "voice"): Rows(),
        ("voice-prod", "acme-sandbox", "voice"): EMPTY,
        ("voice-prod", "globex", "voice"): Rows(null_time=7),
        ("chat-prod", "initech", "chat"): Rows(),
    }
    backend = FakeBackend(fleet, open_ledger(fleet.ledger_url, clock), clock, tenants)
    return Cli(backend, clock, directory)
