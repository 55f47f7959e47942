"""A campaign without Temporal and without the command line: the same activities, one after the
other, in this process. A step may be slowed down or interrupted between any two of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from temporalio.testing import ActivityEnvironment

from tests.acceptance.world import RANGE, World
from windlass.domain.attempt import Attempt
from windlass.domain.plan import Guard, Plan, Request
from windlass.domain.record import CampaignDraft
from windlass.domain.results import TableCounts
from windlass.domain.window import Interval
from windlass.engine.activities.desk import Desk
from windlass.engine.activities.load import LoadActivities
from windlass.engine.activities.moment import Patience
from windlass.engine.activities.publish import PublishActivities
from windlass.engine.activities.survey import Survey
from windlass.engine.payloads import (
    GroupRef,
    GroupWork,
    LoadInput,
    Settled,
    SnapshotRef,
    TenantRef,
)
from windlass.engine.retry import SETTLE_AGAIN
from windlass.ledger.store import SqlLedger
from windlass.settings.load import load as load_fleet
from windlass.source.postgres import PostgresSource
from windlass.wiring import SystemClock, open_ledger, target_of

Step = Callable[[str], None]
"""Called with `loaded`, `published` before the step after it."""


def nothing(_step: str) -> None:
    """Go on."""


@dataclass
class Campaign:
    """One campaign over the usual range of a world."""

    desk: Desk
    ledger: SqlLedger
    name: str
    plan: Plan
    patience: float = 60

    @classmethod
    @contextmanager
    def of(cls, world: World, *, parts: int = 1, patience: float = 60) -> Iterator["Campaign"]:
        """Planned and written down."""
        fleet = load_fleet(world.config)
        ledger, cluster = open_ledger(fleet), fleet.cluster(world.name)
        source = PostgresSource(cluster.source.url.get_secret_value())
        desk = Desk(world.name, source, target_of(cluster, ledger.ledger_id()), ledger,
                    SystemClock(), cluster.target.retention)  # fmt: skip
        start, end = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in RANGE)
        request = Request(
            fleet.dataset("cards"),
            (world.name,),
            ("acme",),
            Interval(start, end),
            window="none",
            parts=parts,
            guard=Guard(accept=True),
            redo=True,
        )
        cluster_plan = Survey(desk, request, Attempt("plan", "plan", 1)).plan()
        plan = Plan(request, (cluster_plan,), "world", datetime.now(UTC))
        name = ledger.create_campaign(CampaignDraft(None, "live", "test"), plan).name
        yield cls(desk, ledger, name, ledger.campaign_plan(name), patience)
        ledger.close()

    def __post_init__(self) -> None:
        self._patience = Patience(self.patience)

    def run(self, step: Step = nothing) -> list[Settled]:
        """Every group, one after the other."""
        (tenant,) = self.plan.tenants
        ref = TenantRef(self.name, tenant.tenant.cluster, tenant.tenant.database)
        return [self._group(GroupRef(ref, group.id), step) for group in tenant.groups]

    def _group(self, group: GroupRef, step: Step) -> Settled:
        settled = Settled("", again=True)
        for attempt in range(SETTLE_AGAIN + 1):
            settled = self.rebuild(group, step, final=attempt == SETTLE_AGAIN)
            if not settled.again:
                break
        return settled

    def rebuild(self, group: GroupRef, step: Step, *, final: bool) -> Settled:
        """What the group's workflow does."""
        run = ActivityEnvironment().run
        publish = PublishActivities(self.desk, self._patience)
        windows = self.desk.group(group).windows
        attempt = self.desk.begin(group.tenant.campaign, f"{group.group}/snapshot")
        with self.desk.source.hold(attempt) as held:
            seen = held.snapshot
            snapshot = SnapshotRef(seen.id, seen.horizon.isoformat(), seen.taken_at.isoformat())
            loader = LoadActivities(self.desk)
            loads = [run(loader.load, LoadInput(group, w.id, snapshot)) for w in windows]
            work = GroupWork(group, tuple(loads), snapshot, final)
            run(publish.guard, work)
        step("loaded")
        expected = run(publish.publish, work)
        step("published")
        settled: Settled = run(publish.settle, replace(work, expected=expected))
        return settled

    def counts(self) -> dict[str, list[TableCounts]]:
        """The record, by table, a group each."""
        facts = self.ledger.facts(self.name)
        found: dict[str, list[TableCounts]] = {}
        for one in facts.counts:
            found.setdefault(one.counts.table, []).append(one.counts)
        return found
