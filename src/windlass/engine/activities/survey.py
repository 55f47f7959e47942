"""Surveying a cluster for a plan: tenants, tables, rows on both sides, and what still holds."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from windlass.domain.attempt import Attempt
from windlass.domain.dataset import Slice, TableSpec
from windlass.domain.errors import PlanError
from windlass.domain.plan import TARGET_ONLY, ClusterPlan, HeldWindow, Request, Skipped, TenantPlan
from windlass.domain.results import Bucket
from windlass.domain.schema import SourceColumn, TargetTable
from windlass.domain.states import Mode
from windlass.domain.tenant import Tenant
from windlass.engine.activities.desk import Desk
from windlass.engine.activities.tenants import everybody, meant
from windlass.planner import windows
from windlass.planner.build import Rate, TableFacts, definition_of, tenant_plan
from windlass.planner.engines import check_engine
from windlass.ports import HeldRecord, Pulse
from windlass.verify.pairs import match


@dataclass(frozen=True)
class Survey:
    """Makes one cluster's plan for a request; `attempt` names its statements on both servers.
    It pulses between them: there are many on a large fleet, each too short to be seen at work."""

    desk: Desk
    request: Request
    attempt: Attempt
    pulse: Pulse = lambda _: None

    def plan(self) -> ClusterPlan:
        """Everything found on this cluster, planned or left out with the reason."""
        found = everybody(self.desk, self.request.dataset)
        self._refuse_shared_databases(found)
        chosen = [t for t in found if self._chosen(t)]
        columns = {
            spec.name: self.desk.source.columns(spec, self.request.dataset)
            for spec in self.request.dataset.tables
        }
        plans = tuple(self._tenant(tenant, columns) for tenant in chosen)
        left = tuple(
            Skipped(t.cluster, t.customer, t.profile, self._reason(t))
            for t in found
            if t not in chosen
        )
        return ClusterPlan(self.desk.cluster, plans, (*left, *self._target_only(found)))

    def _target_only(self, found: Sequence[Tenant]) -> list[Skipped]:
        """Databases that look like a tenant's, while the source knows no such tenant."""
        known, root = {t.database for t in found}, self.request.dataset.tables[0].name
        return [
            Skipped(self.desk.cluster, database, "", TARGET_ONLY)
            for database in self.desk.target.databases()
            if database not in known and self._has(database, root)
        ]

    def _has(self, database: str, table: str) -> bool:
        self.pulse(0)
        return self.desk.target.describe(database, table) is not None

    def _refuse_shared_databases(self, tenants: Sequence[Tenant]) -> None:
        """Two tenants in one database would wipe each other's rows."""
        owners: dict[str, list[Tenant]] = defaultdict(list)
        for tenant in tenants:
            owners[tenant.database].append(tenant)
        for database, sharing in owners.items():
            if len(sharing) > 1:
                raise PlanError(
                    f"tenants {' and '.join(str(t) for t in sharing)} resolve to one database",
                    where=f"database {database}",
                    why=f"the dataset's database is {self.request.dataset.database!r}, "
                    "and '-' becomes '_'",
                    next_step="change `database:` of the dataset so that each tenant has its own",
                )

    def _chosen(self, tenant: Tenant) -> bool:
        return meant(self.request.tenants, tenant) and not meant(self.request.excepted, tenant)

    def _reason(self, tenant: Tenant) -> str:
        return "left out by --except" if meant(self.request.excepted, tenant) else "not asked for"

    def _tenant(self, tenant: Tenant, columns: dict[str, tuple[SourceColumn, ...]]) -> TenantPlan:
        facts = [
            self._table(tenant, spec, columns[spec.name]) for spec in self.request.dataset.tables
        ]
        buckets = self._histogram(tenant, facts)
        bare = tenant_plan(self.request, tenant, facts, buckets)
        rate = self._rate(tenant)
        held = () if self.request.redo else self._held(tenant, bare, facts)
        made = tenant_plan(self.request, tenant, facts, buckets, held, rate)
        keeping = self.desk.undo_retention.total_seconds()
        return replace(made, notes=_notes(made, facts), undo_seconds=keeping)

    def _rate(self, tenant: Tenant) -> Rate | None:
        """What history knows: this tenant's windows, else the cluster's."""
        known = self.desk.ledger.rate(tenant.cluster, tenant.database)
        return Rate(*known) if known else None

    def _histogram(self, tenant: Tenant, facts: Sequence[TableFacts]) -> list[Bucket]:
        if not any(f.count.kept for f in facts):
            return []
        dataset, interval = self.request.dataset, self.request.interval
        slices = [Slice(dataset, f.spec, tenant, interval) for f in facts if f.count.kept]
        return self.desk.source.histogram(dataset, slices, windows.step_for(interval), self.attempt)

    def _table(
        self, tenant: Tenant, spec: TableSpec, columns: tuple[SourceColumn, ...]
    ) -> TableFacts:
        """What both servers say of one table; raises PlanError where it cannot be rebuilt."""
        self.pulse(0)
        live = self._live(tenant, spec)
        matched = match(columns, live.columns)
        if matched.refusals:
            raise PlanError(
                "; ".join(matched.refusals),
                where=f"{spec.relation} -> {live.database}.{live.name}",
                next_step="correct `from:` or the target table's columns, then plan again",
            )
        piece = Slice(self.request.dataset, spec, tenant, self.request.interval)
        self._refuse_foreign(live, piece)
        self.pulse(0)
        whole = self.desk.target.whole_ranges(live, spec.target_time, piece.interval)
        (before,) = self.desk.target.count(live, spec.target_time, [piece.interval])
        return TableFacts(
            spec=spec,
            live=live,
            columns=matched.pairs,
            left_out=matched.left_out,
            whole=None if whole is None else tuple(whole),
            count=self.desk.source.count(piece, (), self.attempt, None),
            before=before,
            null_time=self.desk.source.null_times(piece, self.attempt),
            found=tuple(self.desk.target.examine(live, spec.target_time, piece.interval)),
        )

    def _live(self, tenant: Tenant, spec: TableSpec) -> TargetTable:
        live = self.desk.target.describe(tenant.database, spec.name)
        if live is None:
            raise PlanError(
                "the target table does not exist",
                where=f"cluster {tenant.cluster}, {tenant.database}.{spec.name}",
                why=f"tenant {tenant.customer}/{tenant.profile} was found in the source",
                next_step=f"create it, or leave the tenant out: --except "
                f"{tenant.customer}/{tenant.profile}",
            )
        check_engine(live, self.request.mode)
        for needed in (spec.target_time, *spec.key):
            if live.column(needed) is None:
                raise PlanError(
                    f"the target table has no column {needed!r}",
                    where=f"{tenant.database}.{spec.name}",
                    next_step="add the column, or correct `time` and `key` of the table",
                )
        return live

    def _refuse_foreign(self, live: TargetTable, piece: Slice) -> None:
        foreign = self.desk.target.foreign_rows(live, piece)
        if foreign and self.request.mode is not Mode.APPEND:
            raise PlanError(
                f"{foreign:,} live rows in the range belong to another tenant",
                where=f"{live.database}.{live.name}",
                why="a rebuild would remove them",
                next_step="move them to their own database, or correct `database:`",
            )

    def _held(
        self, tenant: Tenant, bare: TenantPlan, facts: Sequence[TableFacts]
    ) -> tuple[HeldWindow, ...]:
        """What earlier campaigns verified in the range, and whether each still holds."""
        if self.request.mode is not Mode.REPLACE:
            return ()
        dataset, interval = self.request.dataset.name, self.request.interval
        records = self.desk.ledger.verified(dataset, tenant.cluster, tenant.database, interval)
        definition = definition_of(self.request, bare)
        return tuple(
            HeldWindow(r.campaign, r.interval, not why, why or "unchanged on both sides")
            for r in records
            if interval.covers(r.interval)
            for why in [self._stale(tenant, facts, r, definition)]
        )

    def _stale(
        self, tenant: Tenant, facts: Sequence[TableFacts], record: HeldRecord, definition: str
    ) -> str:
        """Why a verified window no longer holds; '' when it does."""
        if record.voided:
            return record.voided
        if record.definition != definition:
            return "the definition changed (SELECT, exclusions, columns or target DDL)"
        for fact in facts:
            piece = Slice(self.request.dataset, fact.spec, tenant, record.interval)
            held = record.tables.get(fact.spec.name)
            now = self.desk.source.count(piece, (), self.attempt, None)
            (live,) = self.desk.target.count(fact.live, fact.spec.target_time, [piece.interval])
            if held is None or (now.kept, now.max_version) != (held.source_rows, held.max_version):
                return f"the source of {fact.spec.name} changed since"
            if live != held.live_rows:
                return f"live {fact.spec.name} holds {live:,} rows, {held.live_rows:,} then"
        return ""


def _notes(plan: TenantPlan, facts: Sequence[TableFacts]) -> tuple[str, ...]:
    notes = [
        f"{fact.spec.name}: source columns {', '.join(fact.left_out)} are left out: the target "
        "lacks them"
        for fact in facts
        if fact.left_out
    ]
    notes += [
        f"{table}: {rows:,} source rows have no {name}: they belong to no window and stay as "
        "they are"
        for table, rows in plan.null_time.items()
        for name in [next(f.spec.target_time for f in facts if f.spec.name == table)]
    ]
    return (*notes, *_zone_notes(facts))


def _zone_notes(facts: Sequence[TableFacts]) -> list[str]:
    return [
        f"{fact.spec.name}.{pair.name} is a timestamp without zone: read as UTC"
        for fact in facts
        for pair in fact.columns
        if pair.source_type.startswith("timestamp") and "without" in pair.source_type
    ]
