"""One tenant's tables, dataset and plan on the real engines, made by Windlass' own planner."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property

from tests.model.shape import Shape, Span
from windlass.domain.dataset import Dataset, Exclusion, TableSpec, TenantColumns
from windlass.domain.naming import bind
from windlass.domain.plan import (
    ClusterPlan,
    GroupPlan,
    Guard,
    Plan,
    Request,
    TenantPlan,
    WindowPlan,
)
from windlass.domain.record import CampaignDraft, Scope
from windlass.domain.results import SliceCount
from windlass.domain.states import Mode, State
from windlass.domain.tenant import Tenant
from windlass.domain.window import Interval
from windlass.engine.activities.desk import Desk
from windlass.engine.payloads import GroupRef, TenantRef
from windlass.ledger.store import SqlLedger
from windlass.planner.build import TableFacts, tenant_plan
from windlass.planner.groups import group_table
from windlass.source.postgres import PostgresSource
from windlass.target.clickhouse import ClickHouseTarget
from windlass.verify.pairs import match

BASE = datetime(2026, 1, 1, tzinfo=UTC)
_EPOCH = int(BASE.timestamp())
_PARTITIONS = {
    "ten": f"PARTITION BY intDiv(toUnixTimestamp(t) - {_EPOCH}, 864000)",
    "four": f"PARTITION BY intDiv(toUnixTimestamp(t) - {_EPOCH}, 345600)",
    "none": "",
    "key": "PARTITION BY k % 2",
}
PATCHES = "SETTINGS enable_block_number_column = 1, enable_block_offset_column = 1"
CLUSTER = "model"


class _Clock:
    def now(self) -> datetime:
        """The present."""
        return datetime.now(UTC)


@dataclass
class Setting:
    """Names and plans of one world."""

    name: str
    shape: Shape
    postgres: str
    clickhouse: str
    group: GroupPlan = field(init=False)
    tenant: TenantRef = field(init=False)
    ref: GroupRef = field(init=False)

    @property
    def staging(self) -> str:
        """The staging database."""
        return f"{self.name}_staging"

    def source_ddl(self) -> list[str]:
        """The application's table."""
        return [
            f"CREATE SCHEMA {self.name}",
            f"CREATE TABLE {self.name}.items (k bigint PRIMARY KEY, customer_id text NOT NULL, "
            "t timestamptz NOT NULL, x bigint NOT NULL, v timestamptz NOT NULL, hidden bool)",
        ]

    def target_ddl(self) -> list[str]:
        """The live table."""
        engine = "ReplacingMergeTree(v)" if self.shape.replacing else "MergeTree"
        settings = PATCHES if self.shape.patches else ""
        return [
            f"CREATE DATABASE {self.name}",
            f"CREATE TABLE {self.name}.items (k Int64, t DateTime64(6, 'UTC'), x Int64, "
            f"v DateTime64(6, 'UTC')) ENGINE = {engine} {_PARTITIONS[self.shape.cutting]} "
            f"ORDER BY k {settings}",
        ]

    @cached_property
    def source(self) -> PostgresSource:
        """The adapter; one for all attempts."""
        return PostgresSource(self.postgres)

    def desk(self, ledger: SqlLedger, clickhouse: str) -> Desk:
        """A worker's desk that reaches ClickHouse at that address. Nothing is kept for undo."""
        target = ClickHouseTarget(clickhouse, self.staging)
        return Desk(CLUSTER, self.source, target, ledger, _Clock(), timedelta(0))

    @property
    def request(self) -> Request:
        """What the operator asks for."""
        spec = TableSpec(
            name="items",
            relation=f"{self.name}.items",
            time="t",
            key=("k",),
            version="v",
            tenant=TenantColumns("customer_id"),
            exclusions=(Exclusion("hidden", "t.hidden"),),
        )
        dataset = Dataset("model", (spec,), database=self.name, tenants_list=(("acme", ""),))
        return Request(
            dataset,
            (CLUSTER,),
            ("acme",),
            instants(self.shape.range),
            Mode(self.shape.mode),
            "none",
            redo=True,
            guard=Guard(accept=True),
        )

    def campaign(self, ledger: SqlLedger) -> str:
        """Plan and create it; returns its name."""
        made = ClusterPlan(CLUSTER, (self._tenant(self.desk(ledger, self.clickhouse)),))
        plan = Plan(self.request, (made,), "world", datetime.now(UTC))
        draft = CampaignDraft(None, self.name.replace("_", "-"), "model")
        name = ledger.create_campaign(draft, plan).name
        (self.group,) = bind(plan, name).tenants[0].groups
        self.tenant = TenantRef(name, CLUSTER, self.name)
        self.ref = GroupRef(self.tenant, self.group.id)
        return name

    def _tenant(self, desk: Desk) -> TenantPlan:
        """The planner's own, but with all windows in one group, whatever partitions would bind.
        Which partitions are whole is the shape's to say: to ask the server takes seconds."""
        spec = self.request.dataset.tables[0]
        live = desk.target.describe(self.name, spec.name)
        assert live is not None
        matched = match(desk.source.columns(spec, self.request.dataset), live.columns)
        whole = tuple(instants(one) for one in self.shape.whole)
        facts = TableFacts(
            spec, live, matched.pairs, matched.left_out, whole, SliceCount(0), before=0, null_time=0
        )
        tenant = Tenant(CLUSTER, "acme", "", self.name)
        made = tenant_plan(self.request, tenant, [facts], [])
        return replace(made, groups=(self._group(made, whole),))

    def _group(self, tenant: TenantPlan, whole: tuple[Interval, ...]) -> GroupPlan:
        interval = instants(self.shape.range)
        windows = tuple(
            WindowPlan(f"{self.name}/{instants(one)}", instants(one), 1)
            for one in self.shape.windows
        )
        edge = tenant.table("items").edge_path
        table = group_table("items", Mode(self.shape.mode), edge, interval, whole)
        return GroupPlan(f"{self.name}/group-{interval}", windows, (table,))

    def order_cancel(self, ledger: SqlLedger) -> None:
        """What `windlass cancel` writes."""
        ledger.move(Scope(self.tenant.campaign), State.CANCELLING, "model")


def instants(span: Span) -> Interval:
    """A model's span in days."""
    return Interval(BASE + timedelta(days=span.start), BASE + timedelta(days=span.end))
