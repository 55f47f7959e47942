"""One tenant's plan out of what its source and target said."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from windlass.domain.dataset import Dataset, TableSpec, digest_of
from windlass.domain.plan import (
    ClusterPlan,
    GroupPlan,
    Guard,
    HeldWindow,
    Plan,
    Request,
    TablePlan,
    TenantPlan,
    WindowPlan,
)
from windlass.domain.results import Bucket, Evidence, SliceCount
from windlass.domain.schema import ColumnPair, TargetTable
from windlass.domain.states import Mode
from windlass.domain.tenant import Tenant
from windlass.domain.window import Interval
from windlass.planner import groups, paths, views, windows
from windlass.planner.pace import Pace
from windlass.planner.parse import span


@dataclass(frozen=True)
class TableFacts:
    """What both servers said of one table of one tenant in the range.

    `whole` as in `Target.whole_ranges`; `count` after exclusions, in the source now; `before`
    logical live rows; `found` as in `Target.examine`; `evidence` says where `count` comes from,
    `estimated` how it was estimated ('' it was counted).
    """

    spec: TableSpec
    live: TargetTable
    columns: tuple[ColumnPair, ...]
    left_out: tuple[str, ...]
    whole: tuple[Interval, ...] | None
    count: SliceCount
    before: int
    null_time: int
    found: tuple[str, ...] = ()
    evidence: Evidence = Evidence.COUNTED
    estimated: str = ""


Whole = Mapping[str, Sequence[Interval]]
"""Per table, the ranges whose partitions lie wholly inside."""


def tenant_plan(
    request: Request,
    tenant: Tenant,
    facts: Sequence[TableFacts],
    buckets: Sequence[Bucket],
    held: Sequence[HeldWindow] = (),
    pace: Pace | None = None,
) -> TenantPlan:
    """Put the plan together; no groups when there is nothing to do or all of it holds."""
    todo = request.interval.minus(one.interval for one in held if one.holds)
    empty = not any(f.count.kept or f.before for f in facts)
    made = (
        ()
        if empty
        else tuple(g for gap in todo for g in _groups(request, tenant, facts, buckets, gap))
    )
    if pace:
        made = tuple(_paced(group, pace) for group in made)
    expected = [window.expected for group in made for window in group.windows]
    return TenantPlan(
        tenant=tenant,
        rows={f.spec.name: f.count.kept for f in facts},
        excluded=_excluded(facts),
        before={f.spec.name: f.before for f in facts},
        null_time={f.spec.name: f.null_time for f in facts if f.null_time},
        tables=tuple(_table_plan(request, f) for f in facts),
        groups=made,
        held=tuple(held),
        estimate_seconds=sum(one.seconds for one in expected if one) if pace else None,
        estimate_basis=pace.basis if pace else "no history",
        rows_basis={f.spec.name: str(f.evidence) for f in facts},
    )


def _paced(group: GroupPlan, pace: Pace) -> GroupPlan:
    """The group, its windows with the time that they should take."""
    windows_ = (replace(one, expected=pace.expect(one.rows)) for one in group.windows)
    return replace(group, windows=tuple(windows_))


def _excluded(facts: Sequence[TableFacts]) -> Mapping[str, Mapping[str, int]]:
    names = dict.fromkeys(name for f in facts for name in f.count.excluded)
    return {
        name: {f.spec.name: f.count.excluded[name] for f in facts if name in f.count.excluded}
        for name in names
    }


def _table_plan(request: Request, facts: TableFacts) -> TablePlan:
    live, whole = facts.live, facts.whole or ()
    edge = paths.edge_path(live, request.mode)
    count = None if facts.whole is None else len(whole)
    left = request.interval.minus(whole)
    effects = views.view_effects(live, edge, swaps=bool(whole), edges=bool(left))
    return TablePlan(
        table=facts.spec.name,
        columns=facts.columns,
        left_out=facts.left_out,
        create_hash=live.create_hash,
        edge_path=edge,
        removal=live.removal,
        promise=paths.promise(edge, live.removal),
        why=paths.why(live, edge, count),
        notes=(
            *views.view_notes(live, effects),
            *paths.table_notes(live, facts.spec, facts.found),
        ),
        views=effects,
        alternative=paths.alternative(live, edge, facts.whole) if left else "",
    )


def _groups(
    request: Request,
    tenant: Tenant,
    facts: Sequence[TableFacts],
    buckets: Sequence[Bucket],
    gap: Interval,
) -> tuple[GroupPlan, ...]:
    whole = {f.spec.name: [w for w in f.whole or () if gap.covers(w)] for f in facts}
    edges = {f.spec.name: paths.edge_path(f.live, request.mode) for f in facts}
    cut = _cut(request, gap, buckets, whole)
    planned = _window_plans(tenant, cut, buckets)
    extra = groups.cuts_for_large(groups.bind(planned, whole), whole)
    if extra:
        finer = [piece for one in cut for piece in one.split(extra)]
        planned = _window_plans(tenant, finer, buckets)
    made = groups.plan_groups(tenant.database, planned, whole, edges, request.mode)
    groups.refuse_too_many(made, tenant.database, "ask for longer windows, or fewer --parts")
    return made


def _cut(
    request: Request, gap: Interval, buckets: Sequence[Bucket], whole: Whole
) -> list[Interval]:
    """The gap cut into parts and windows, on the same grid as the whole range would be."""
    if request.window == "auto" and not request.parts:
        return _auto(request, gap, buckets, whole)
    if request.parts:
        pieces = windows.parts(request.interval, request.parts)
        pieces = list(gap.split(edge for one in pieces for edge in (one.start, one.end)))
    else:
        pieces = [gap]
    return [window for piece in pieces for window in _windows(request, piece)]


def _auto(
    request: Request, gap: Interval, buckets: Sequence[Bucket], whole: Whole
) -> list[Interval]:
    """Windows of equal volume, none of them over the bound between whole partitions and an edge:
    one that held both could not be undone."""
    bounds = groups.common_bounds(whole)
    cores = groups.core_bounds(whole) if request.mode is not Mode.APPEND else []
    return [
        window
        for piece in gap.split(cores)
        for window in windows.by_volume(piece, buckets, bounds, windows.WINDOW_ROWS)
    ]


def _windows(request: Request, piece: Interval) -> list[Interval]:
    if request.window in {"none", "auto"}:
        return [piece]
    grid = windows.fixed(request.interval, span(request.window))
    return list(piece.split(edge for one in grid for edge in (one.start, one.end)))


def _window_plans(
    tenant: Tenant, pieces: Sequence[Interval], buckets: Sequence[Bucket]
) -> list[WindowPlan]:
    volumes = windows.Volumes.of(buckets)
    return [WindowPlan(f"{tenant.database}/{one}", one, volumes.inside(one)) for one in pieces]


def world_of(
    request: Request, tenants: Sequence[TenantPlan], servers: Mapping[str, str] | None = None
) -> str:
    """A hash of everything that a saved plan was made for, except row counts and what an operator
    allows to be removed. `servers` are those of each cluster, as hashes of where they are."""
    facts = [
        (str(t.tenant), t.tenant.database, [(p.table, p.create_hash, p.columns) for p in t.tables])
        for t in tenants
    ]
    asked = replace(request, guard=Guard(request.guard.max_unexplained))
    return digest_of([asdict(asked), repr(facts), dict(servers or {})])


def plan_of(request: Request, clusters: Sequence[ClusterPlan], now: datetime) -> Plan:
    """The whole plan, out of what every cluster answered."""
    tenants = [tenant for cluster in clusters for tenant in cluster.tenants]
    servers = {cluster.cluster: cluster.servers for cluster in clusters}
    return Plan(request, tuple(clusters), world_of(request, tenants, servers), now)


def definition_of(request: Request, tenant: TenantPlan) -> str:
    """A hash of what makes the rows of this tenant what they are: while it stands, a verified
    window may still hold."""
    return definition(request.dataset, [(p.table, p.create_hash, p.columns) for p in tenant.tables])


def definition(dataset: Dataset, tables: Sequence[tuple[str, str, tuple[ColumnPair, ...]]]) -> str:
    """The same out of (table, its DDL's hash, its columns)."""
    parts = [(name, create_hash, repr(pairs)) for name, create_hash, pairs in tables]
    return digest_of([dataset.definition_hash(), parts])
