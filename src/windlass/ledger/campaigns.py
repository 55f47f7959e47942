"""Campaigns: created whole or not at all, recut, guarded, found again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, text, update

from windlass.domain.codec import dump, load
from windlass.domain.errors import RefusedError
from windlass.domain.naming import bind, rebind
from windlass.domain.plan import (
    ClusterPlan,
    GroupPlan,
    Guard,
    Plan,
    Request,
    TenantPlan,
    WindowPlan,
)
from windlass.domain.record import CampaignDraft, CampaignRecord, Scope
from windlass.domain.states import Health, Mode, State, roll_up
from windlass.domain.window import Interval
from windlass.ledger import tables as t
from windlass.ledger.admission import free_name, refuse_overlap
from windlass.ledger.base import Base, campaign_row, group_row, put
from windlass.ledger.database import reads, writes
from windlass.ledger.states import level, refresh
from windlass.planner.order import is_canary, priority_of

CREATE_LOCK = 0x77696E64
"""PostgreSQL's advisory lock under which campaigns are created, one at a time."""


class Campaigns(Base):
    """The intents of operators."""

    @writes
    def create_campaign(
        self, connection: Connection, draft: CampaignDraft, plan: Plan
    ) -> CampaignRecord:
        """Create it with all its tenants, groups and windows, queued."""
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({CREATE_LOCK})"))
        refuse_overlap(connection, plan)
        name = free_name(connection, draft)
        bound = bind(plan, name)
        self._insert(connection, name, draft, bound)
        for position, cluster in enumerate(bound.clusters):
            self._insert_cluster(connection, name, cluster, position, bound.request)
        refresh(connection, Scope(name), self._clock.now())
        return record(campaign_row(connection, name))

    @reads
    def campaign(self, connection: Connection, name: str | None = None) -> CampaignRecord:
        """That campaign as it stands; the latest for None."""
        return record(campaign_row(connection, name))

    @reads
    def campaigns(self, connection: Connection, limit: int = 50) -> list[CampaignRecord]:
        """Campaigns, the latest first."""
        query = select(t.campaigns).order_by(t.campaigns.c.number.desc()).limit(limit)
        return [record(row) for row in connection.execute(query)]

    @reads
    def campaign_plan(self, connection: Connection, campaign: str) -> Plan:
        """The campaign's plan as it holds now."""
        return stored_plan(connection, campaign)

    @writes
    def set_guard(self, connection: Connection, campaign: str, guard: Guard) -> None:
        """What the operator allows to be removed from now on."""
        row = campaign_row(connection, campaign, lock=True)
        where = t.campaigns.c.name == row.name
        connection.execute(update(t.campaigns).where(where).values(guard=dump(guard)))
        of = t.campaign_plans
        version = update(of).where(of.c.campaign == row.name).values(version=of.c.version + 1)
        connection.execute(version)

    @writes
    def recut(
        self,
        connection: Connection,
        campaign: str,
        cluster: str,
        database: str,
        groups: Mapping[str, Sequence[GroupPlan]],
        why: str,
    ) -> None:
        """Put new groups in the place of old ones, lineage kept."""
        campaign_row(connection, campaign, lock=True)
        made = {
            old: [rebind(group, old, database) for group in fresh] for old, fresh in groups.items()
        }
        for old, fresh in made.items():
            self._replace_group(connection, old, fresh, why)
        plan = _with_groups(stored_plan(connection, campaign), cluster, database, made)
        _store_plan(connection, campaign, plan)
        refresh(connection, Scope(campaign, cluster, database), self._clock.now())

    def _insert(self, connection: Connection, name: str, draft: CampaignDraft, plan: Plan) -> None:
        request, now = plan.request, self._clock.now()
        number = connection.scalar(select(func.coalesce(func.max(t.campaigns.c.number), 0))) or 0
        connection.execute(
            insert(t.campaigns).values(
                name=name,
                number=number + 1,
                dataset=request.dataset.name,
                definition=dump(request.dataset),
                definition_hash=request.dataset.definition_hash(),
                mode=str(request.mode),
                start_at=request.interval.start,
                end_at=request.interval.end,
                clusters=json.dumps(request.clusters),
                tenants=json.dumps(request.tenants),
                reason=draft.reason,
                who=draft.who,
                command=draft.command,
                plan_id=draft.plan_id,
                supersedes=draft.supersedes,
                guard=dump(request.guard),
                state=str(State.QUEUED),
                created_at=now,
            )
        )
        _store_plan(connection, name, plan)

    def _insert_cluster(
        self,
        connection: Connection,
        name: str,
        cluster: ClusterPlan,
        position: int,
        request: Request,
    ) -> None:
        states = [_first_state(tenant) for tenant in cluster.tenants]
        state = State.UNKNOWN if cluster.failure else roll_up(states)
        connection.execute(
            insert(t.campaign_clusters).values(
                campaign=name,
                cluster=cluster.cluster,
                position=position,
                state=str(state),
                note=cluster.failure,
                found=cluster.found,
            )
        )
        for place, tenant in enumerate(cluster.tenants):
            self._insert_tenant(connection, name, tenant, place, request)
        _insert_skipped(connection, name, cluster, position)

    def _insert_tenant(
        self,
        connection: Connection,
        name: str,
        plan: TenantPlan,
        position: int,
        request: Request,
    ) -> None:
        tenant, state = plan.tenant, _first_state(plan)
        connection.execute(
            insert(t.tenants).values(
                campaign=name,
                cluster=tenant.cluster,
                database=tenant.database,
                position=position,
                customer=tenant.customer,
                profile=tenant.profile,
                state=str(state),
                health=str(Health.HEALTHY),
                note=_first_note(plan),
                rows=dump(plan.rows),
                rows_planned=sum(group.rows for group in plan.groups),
                estimate_seconds=plan.estimate_seconds,
                canary=is_canary(request, tenant),
                priority=priority_of(request, tenant),
                ended_at=self._clock.now() if state.final else None,
            )
        )
        scope = Scope(name, tenant.cluster, tenant.database)
        insert_groups(connection, scope, plan.groups)

    def _replace_group(
        self, connection: Connection, old: str, fresh: Sequence[GroupPlan], why: str
    ) -> None:
        row = group_row(connection, old)
        of = t.windows
        before = connection.execute(select(of).where(of.c.group_id == old)).all()
        live = [window for window in before if not window.replaced]
        _refuse_over(old, {State(window.state) for window in live})
        connection.execute(update(t.groups).where(t.groups.c.id == old).values(replaced=True))
        connection.execute(
            update(of)
            .where(of.c.group_id == old, of.c.replaced.is_(False))
            .values(
                state=str(State.CANCELLED),
                note=why,
                replaced=True,
                ended_at=self._clock.now(),
            )
        )
        scope = Scope(row.campaign, row.cluster, row.database)
        parents = {w.id: Interval(w.start_at, w.end_at) for w in live}
        put_groups(connection, scope, fresh, parents)
        if any(window.state == State.PARKED for window in live):
            at = level(scope)
            connection.execute(update(at.table).where(at.where).values(note=""))


def _refuse_over(group: str, found: set[State]) -> None:
    """What is published, or ends by an operator's word, is not cut again."""
    if State.DONE in found:
        raise RefusedError(
            f"{group} is published: it cannot be cut again",
            next_step="run its range again as a campaign of its own",
        )
    if found & {State.CANCELLED, State.CANCELLING}:
        raise RefusedError(
            f"{group} was cancelled: it cannot be cut again",
            next_step="run its range again as a campaign of its own",
        )


def insert_groups(connection: Connection, scope: Scope, groups: Sequence[GroupPlan]) -> None:
    """Put a tenant's groups and windows in, queued; in bulk, since there may be thousands."""
    made = [{"id": group.id, **_group_values(scope, group)} for group in groups]
    windows = [
        {"id": window.id, **_window_values(scope, group, window, "")}
        for group in groups
        for window in group.windows
    ]
    if made:
        connection.execute(insert(t.groups), made)
    if windows:
        connection.execute(insert(t.windows), windows)


def put_groups(
    connection: Connection,
    scope: Scope,
    groups: Sequence[GroupPlan],
    parents: Mapping[str, Interval],
) -> None:
    """Put groups in that replace others; a window names the parent that covers it. An id that is
    there already (a window that stays as it was) starts over."""
    for group in groups:
        put(connection, t.groups, {"id": group.id}, _group_values(scope, group))
        for window in group.windows:
            covering = (k for k, v in parents.items() if v.covers(window.interval))
            parent = next((k for k in covering if k != window.id), "")
            values = _window_values(scope, group, window, parent)
            if window.id in parents:
                values.pop("parent")
            put(connection, t.windows, {"id": window.id}, values)


def _group_values(scope: Scope, group: GroupPlan) -> dict[str, Any]:
    return {
        "campaign": scope.campaign,
        "cluster": scope.cluster,
        "database": scope.database,
        "start_at": group.interval.start,
        "end_at": group.interval.end,
        "paths": json.dumps({table.table: str(table.path) for table in group.tables}),
        "replaced": False,
    }


def _window_values(
    scope: Scope, group: GroupPlan, window: WindowPlan, parent: str
) -> dict[str, Any]:
    return {
        "campaign": scope.campaign,
        "cluster": scope.cluster,
        "database": scope.database,
        "group_id": group.id,
        "start_at": window.interval.start,
        "end_at": window.interval.end,
        "state": str(State.QUEUED),
        "ordered": "",
        "rows_planned": window.rows,
        "parent": parent,
        "note": "",
        "replaced": False,
        "ended_at": None,
    }


def stored_plan(connection: Connection, campaign: str) -> Plan:
    """The campaign's plan with the guard that holds now."""
    row = campaign_row(connection, campaign)
    query = select(t.campaign_plans.c.plan).where(t.campaign_plans.c.campaign == row.name)
    plan = load(Plan, str(connection.scalar(query)))
    return replace(plan, request=replace(plan.request, guard=load(Guard, row.guard)))


def record(row: Row[Any]) -> CampaignRecord:
    """The domain's word for a campaign's row."""
    return CampaignRecord(
        name=row.name,
        dataset=row.dataset,
        definition_hash=row.definition_hash,
        mode=Mode(row.mode),
        interval=Interval(row.start_at, row.end_at),
        clusters=tuple(json.loads(row.clusters)),
        tenants=tuple(json.loads(row.tenants)),
        reason=row.reason,
        who=row.who,
        command=row.command,
        plan_id=row.plan_id,
        supersedes=row.supersedes,
        guard=load(Guard, row.guard),
        state=State(row.state),
        note=row.note,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )


def _first_state(plan: TenantPlan) -> State:
    if plan.groups:
        return State.QUEUED
    return State.DONE if any(held.holds for held in plan.held) else State.NOTHING_TO_DO


def _first_note(plan: TenantPlan) -> str:
    """What is not done again, and why."""
    held = [one for one in plan.held if one.holds]
    names = ", ".join(dict.fromkeys(one.campaign for one in held))
    if not held:
        return ""
    if not plan.groups:
        return f"verified before, and it still holds: {names}"
    windows = f"{len(held)} window{'' if len(held) == 1 else 's'}"
    return f"{windows} of {names} still hold{'s' * (len(held) == 1)}: only the gaps are done"


def _insert_skipped(connection: Connection, name: str, cluster: ClusterPlan, position: int) -> None:
    rows = [
        {
            "campaign": name,
            "position": position * 1_000_000 + place,
            "cluster": one.cluster,
            "customer": one.customer,
            "profile": one.profile,
            "reason": one.reason,
        }
        for place, one in enumerate(cluster.skipped)
    ]
    if rows:
        connection.execute(insert(t.skipped), rows)


def _store_plan(connection: Connection, campaign: str, plan: Plan) -> None:
    of = t.campaign_plans
    last = connection.scalar(select(of.c.version).where(of.c.campaign == campaign)) or 0
    put(connection, of, {"campaign": campaign}, {"plan": dump(plan), "version": last + 1})


def _with_groups(
    plan: Plan, cluster: str, database: str, made: Mapping[str, Sequence[GroupPlan]]
) -> Plan:
    def changed(tenant: TenantPlan) -> TenantPlan:
        if (tenant.tenant.cluster, tenant.tenant.database) != (cluster, database):
            return tenant
        groups = [new for old in tenant.groups for new in made.get(old.id, [old])]
        return replace(tenant, groups=tuple(sorted(groups, key=lambda g: g.interval)))

    clusters = [replace(c, tenants=tuple(changed(x) for x in c.tenants)) for c in plan.clusters]
    return replace(plan, clusters=tuple(clusters))
