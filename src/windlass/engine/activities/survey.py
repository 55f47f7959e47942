"""Surveying a cluster for a plan: tenants, tables, rows on both sides, and what still holds."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from windlass.domain.attempt import Attempt
from windlass.domain.dataset import Slice, TableSpec
from windlass.domain.errors import PlanError
from windlass.domain.plan import TARGET_ONLY, ClusterPlan, Request, Skipped, TenantPlan
from windlass.domain.results import Evidence
from windlass.domain.schema import SourceColumn, TargetTable
from windlass.domain.states import Mode
from windlass.domain.tenant import Tenant
from windlass.engine.activities.desk import Desk
from windlass.engine.activities.looker import (
    Held,
    Looker,
    Sighting,
    TableJob,
    TenantJob,
    still_held,
)
from windlass.engine.activities.tenants import everybody, meant
from windlass.planner import windows
from windlass.planner.build import TableFacts, definition, tenant_plan
from windlass.planner.engines import check_engine
from windlass.planner.order import in_order
from windlass.planner.pace import Past, pace_for
from windlass.ports import HeldRecord, Pulse
from windlass.verify.pairs import match

Lives = Mapping[tuple[str, str], TargetTable]
"""Live tables by database and name."""


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
        plans = self._plans(chosen, columns)
        left = tuple(
            Skipped(t.cluster, t.customer, t.profile, self._reason(t))
            for t in found
            if t not in chosen
        )
        strays = self._target_only(found)
        return ClusterPlan(
            self.desk.cluster,
            in_order(self.request, plans),
            (*left, *strays),
            found=len(found) + len(strays),
            servers=self.desk.servers,
        )

    def _target_only(self, found: Sequence[Tenant]) -> list[Skipped]:
        """Databases that look like a tenant's, while the source knows no such tenant."""
        known, root = {t.database for t in found}, self.request.dataset.tables[0].name
        others = [d for d in self.desk.target.databases() if d not in known]
        return [
            Skipped(self.desk.cluster, database, "", TARGET_ONLY)
            for database, _ in sorted(self.desk.target.describe_all(others, [root]))
        ]

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

    def _plans(
        self, tenants: Sequence[Tenant], columns: Mapping[str, tuple[SourceColumn, ...]]
    ) -> tuple[TenantPlan, ...]:
        """The tenants' plans: both servers are asked at once, and several tenants side by side."""
        names = [spec.name for spec in self.request.dataset.tables]
        lives = self.desk.target.describe_all([t.database for t in tenants], names)
        jobs = [self._job(tenant, columns, lives) for tenant in tenants]
        past = self.desk.ledger.past(self.request.dataset.name, self.desk.cluster)
        looker = Looker(self.desk, self.attempt, self.pulse, self.request.mode)
        sightings = looker.look(jobs)
        return tuple(self._tenant(*one, past) for one in zip(jobs, sightings, strict=True))

    def _job(
        self, tenant: Tenant, columns: Mapping[str, tuple[SourceColumn, ...]], lives: Lives
    ) -> TenantJob:
        self.pulse(0)
        dataset, interval = self.request.dataset, self.request.interval
        tables = tuple(
            self._table(Slice(dataset, spec, tenant, interval), columns[spec.name], lives)
            for spec in dataset.tables
        )
        return TenantJob(tenant, tables, self._records(tenant, tables))

    def _table(self, piece: Slice, columns: tuple[SourceColumn, ...], lives: Lives) -> TableJob:
        """The table on both sides; raises PlanError where it cannot be rebuilt."""
        spec, live = piece.table, self._live(piece.tenant, piece.table, lives)
        matched = match(columns, live.columns)
        if matched.refusals:
            raise PlanError(
                "; ".join(matched.refusals),
                where=f"{spec.relation} -> {live.database}.{live.name}",
                next_step="correct `from:` or the target table's columns, then plan again",
            )
        return TableJob(piece, live, matched.pairs, matched.left_out)

    def _live(self, tenant: Tenant, spec: TableSpec, lives: Lives) -> TargetTable:
        live = lives.get((tenant.database, spec.name))
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

    def _records(self, tenant: Tenant, tables: Sequence[TableJob]) -> tuple[Held, ...]:
        """What earlier campaigns verified in the range, and why it cannot hold any more ('' it
        may: that is for the counts to say)."""
        if self.request.redo or self.request.mode is not Mode.REPLACE:
            return ()
        dataset, interval = self.request.dataset, self.request.interval
        records = self.desk.ledger.verified(dataset.name, tenant.cluster, tenant.database, interval)
        now = definition(
            dataset, [(t.piece.table.name, t.live.create_hash, t.pairs) for t in tables]
        )
        return tuple(Held(r, _void(r, now)) for r in records if interval.covers(r.interval))

    def _tenant(
        self, job: TenantJob, seen: Sequence[Sighting], past: Mapping[str, Past]
    ) -> TenantPlan:
        facts = [_facts(table, sight) for table, sight in zip(job.tables, seen, strict=True)]
        steps = {f.spec.name: sight.tally.steps for f, sight in zip(facts, seen, strict=True)}
        interval = self.request.interval
        buckets = windows.buckets(interval, windows.step_for(interval), steps)
        held = still_held(job, seen)
        pace = pace_for(job.tenant.database, self.desk.cluster, past)
        made = tenant_plan(self.request, job.tenant, facts, buckets, held, pace)
        keeping = self.desk.undo_retention.total_seconds()
        return replace(made, notes=_notes(made, facts), undo_seconds=keeping)


def _facts(table: TableJob, seen: Sighting) -> TableFacts:
    return TableFacts(
        spec=table.piece.table,
        live=table.live,
        columns=table.pairs,
        left_out=table.left_out,
        whole=seen.whole,
        count=seen.tally.count,
        before=seen.before,
        null_time=seen.tally.null_time,
        found=seen.found,
        evidence=seen.tally.evidence,
        estimated=seen.tally.note,
    )


def _void(record: HeldRecord, now: str) -> str:
    if record.voided:
        return record.voided
    if record.definition != now:
        return "the definition changed (SELECT, exclusions, columns or target DDL)"
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
    return (*notes, *_estimates(facts), *_zone_notes(facts))


def _estimates(facts: Sequence[TableFacts]) -> list[str]:
    return [
        f"{fact.spec.name}: rows are estimated, {fact.estimated}: counting them all takes too "
        "long for a plan; the load counts each one"
        for fact in facts
        if fact.evidence is not Evidence.COUNTED
    ]


def _zone_notes(facts: Sequence[TableFacts]) -> list[str]:
    return [
        f"{fact.spec.name}.{pair.name} is a timestamp without zone: read as UTC"
        for fact in facts
        for pair in fact.columns
        if pair.source_type.startswith("timestamp") and "without" in pair.source_type
    ]
