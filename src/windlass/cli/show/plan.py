"""A plan as JSON, with the keys that other programs rely on."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from windlass.cli.show.common import iso
from windlass.cli.show.volume import per_day, volume_class
from windlass.domain.plan import (
    GroupPlan,
    HeldWindow,
    Plan,
    Skipped,
    TablePlan,
    TenantPlan,
    WindowPlan,
)
from windlass.domain.states import Mode, Path
from windlass.planner import paths, stages
from windlass.planner.order import is_canary, priority_of
from windlass.planner.parse import span_text
from windlass.planner.undo import why_no_undo


def plan_json(plan: Plan, name: str, at_once: Mapping[str, int]) -> dict[str, Any]:
    """The whole plan. `name` is the campaign's, should it be run; `at_once` says how many
    tenants each cluster works on at a time."""
    request = plan.request
    return {
        "campaign": name,
        "dataset": request.dataset.name,
        "mode": str(request.mode),
        "start": iso(request.interval.start),
        "end": iso(request.interval.end),
        "tenants": [tenant_json(plan, tenant) for tenant in plan.tenants],
        "skipped": [skipped_json(one) for cluster in plan.clusters for one in cluster.skipped],
        "unknown": [
            {"cluster": c.cluster, "reason": c.failure} for c in plan.clusters if c.failure
        ],
        "canaries": [str(t.tenant) for t in canaries(plan)],
        "total_rows": rows_to_load(plan),
        "total_windows": plan.total_windows,
        "estimate_seconds": estimate(plan, at_once),
        "world": plan.world,
        "made_at": iso(plan.made_at),
    }


def tenant_json(plan: Plan, tenant: TenantPlan) -> dict[str, Any]:
    """One tenant of a plan."""
    interval = plan.request.interval
    daily = per_day(sum(tenant.rows.values()), interval)
    return {
        "cluster": tenant.tenant.cluster,
        "customer": tenant.tenant.customer,
        "profile": tenant.tenant.profile,
        "database": tenant.tenant.database,
        "state": standing(tenant),
        "canary": is_canary(plan.request, tenant.tenant),
        "priority": priority_of(plan.request, tenant.tenant),
        "rows": dict(tenant.rows),
        "before": dict(tenant.before),
        "to_remove": to_go(plan, tenant),
        "excluded": {name: dict(rows) for name, rows in tenant.excluded.items()},
        "null_time": dict(tenant.null_time),
        "rows_per_day": round(daily),
        "volume": volume_class(daily),
        "windows": [_window_json(window) for window in tenant.windows],
        "groups": len(tenant.groups),
        "window_basis": window_basis(plan, tenant),
        "publish": {t.table: publish_json(plan, tenant, t.table) for t in tenant.tables},
        "undo": undo_json(tenant),
        "held": [_held_json(one) for one in tenant.held],
        "notes": notes(tenant),
        "estimate_seconds": tenant.estimate_seconds,
        "estimate_basis": tenant.estimate_basis,
        "rows_basis": dict(tenant.rows_basis),
    }


def _window_json(window: WindowPlan) -> dict[str, Any]:
    band = window.expected
    return {
        "start": iso(window.interval.start),
        "end": iso(window.interval.end),
        "rows": window.rows,
        "expected_seconds": band.seconds if band else None,
        "expected_band": [band.low, band.high] if band else None,
    }


def undo_json(tenant: TenantPlan) -> dict[str, Any]:
    """Which publish groups could be undone afterwards, for how long, and why the others not."""
    return {
        "kept_for": kept_for(tenant),
        "groups": [
            {
                "start": iso(group.interval.start),
                "end": iso(group.interval.end),
                "offered": not why,
                "why": why,
            }
            for group in tenant.groups
            for why in [why_not(tenant, group)]
        ],
    }


def why_not(tenant: TenantPlan, group: GroupPlan) -> str:
    """Why the group could not be undone; '' where it could."""
    off = "" if tenant.undo_seconds else "undo_retention is 0"
    return why_no_undo(group) or off


def kept_for(tenant: TenantPlan) -> str:
    """`7d`: how long what is replaced is kept; '' where it is not."""
    return span_text(timedelta(seconds=tenant.undo_seconds)) if tenant.undo_seconds else ""


def skipped_json(skipped: Skipped) -> dict[str, str]:
    """A tenant that was found and is left out."""
    return {
        "cluster": skipped.cluster,
        "customer": skipped.customer,
        "profile": skipped.profile,
        "reason": skipped.reason,
    }


def _held_json(held: HeldWindow) -> dict[str, Any]:
    return {
        "campaign": held.campaign,
        "start": iso(held.interval.start),
        "end": iso(held.interval.end),
        "holds": held.holds,
        "reason": held.reason,
    }


def standing(tenant: TenantPlan) -> str:
    """`to do`, `held` (all of it verified before), or `nothing_to_do`."""
    if tenant.groups:
        return "to do"
    return "held" if any(one.holds for one in tenant.held) else "nothing_to_do"


def rows_to_load(plan: Plan) -> int:
    """Rows of all windows; none where the mode loads nothing."""
    return 0 if plan.request.mode is Mode.DELETE else plan.total_rows


def to_go(plan: Plan, tenant: TenantPlan) -> dict[str, int]:
    """`{table: live rows that the plan will remove}` under its mode."""
    if plan.request.mode is Mode.APPEND or not tenant.groups:
        return dict.fromkeys(tenant.before, 0)
    return dict(tenant.before if plan.request.mode is Mode.DELETE else tenant.to_remove)


def publish_json(plan: Plan, tenant: TenantPlan, table: str) -> dict[str, Any]:
    """How one table becomes visible: the path, what it promises readers, and why this one."""
    planned = tenant.table(table)
    used = paths_of(tenant, table)
    return {
        "path": path_words(used) if used else str(planned.edge_path),
        "promises": {
            str(path): paths.promise(path, planned.removal) for path in used or [planned.edge_path]
        },
        "why": planned.why,
        "alternative": alternative(tenant, planned),
        "notes": list(planned.notes),
        "views": dict(planned.views),
    }


def alternative(tenant: TenantPlan, planned: TablePlan) -> str:
    """What would promise more, where some group takes a path that cannot promise it."""
    return planned.alternative if planned.edge_path in paths_of(tenant, planned.table) else ""


def paths_of(tenant: TenantPlan, table: str) -> list[Path]:
    """The paths that the groups take for that table, the edges' too, the strongest first."""
    edge = tenant.table(table).edge_path
    found = [path for group in tenant.groups for path in _paths_in(group, table, edge)]
    return sorted(set(found), key=list(Path).index)


def _paths_in(group: GroupPlan, table: str, edge: Path) -> list[Path]:
    mine = next(one for one in group.tables if one.table == table)
    covered = sum((one.duration for one in mine.whole), start=group.interval.duration * 0)
    mixed = mine.path is Path.SWAP and covered < group.interval.duration
    return [mine.path, edge] if mixed else [mine.path]


def path_words(used: list[Path]) -> str:
    """`swap`, or `swap, edges in place`."""
    first, *rest = [str(path) for path in used]
    return ", edges ".join([first, *rest]) if first == Path.SWAP else " or ".join([first, *rest])


def window_basis(plan: Plan, tenant: TenantPlan) -> str:
    """Why the windows have the size that they have."""
    request = plan.request
    if not tenant.windows:
        return "none needed"
    if request.window == "none":
        return "--window none: the range as it is"
    if request.window != "auto":
        return f"--window {request.window}"
    if request.parts:
        return f"--parts {request.parts}: equal slices of the range"
    mean = round(sum(w.rows for w in tenant.windows) / len(tenant.windows))
    return (
        f"auto: equal volume, about {mean:,} rows each, on partition boundaries where they fit, "
        "whole partitions apart from edges"
    )


def notes(tenant: TenantPlan) -> list[str]:
    """Everything worth knowing about the tenant, once."""
    own = [f"{table.table}: {note}" for table in tenant.tables for note in table.notes]
    return list(dict.fromkeys([*tenant.notes, *own]))


def canaries(plan: Plan) -> list[TenantPlan]:
    """Tenants that begin before all others, of every cluster."""
    return [t for t in plan.tenants if is_canary(plan.request, t.tenant)]


def estimate(plan: Plan, at_once: Mapping[str, int]) -> float | None:
    """Seconds until the slowest cluster is done, after the slowest one's canaries; None as long
    as one tenant has no history."""
    first = canaries(plan)
    rest = [t for t in plan.tenants if t not in first]
    turns = [_turn_estimate(plan, turn, at_once) for turn in (first, rest)]
    known = [turn for turn in turns if turn is not None]
    return sum(known) if len(known) == len(turns) else None


def _turn_estimate(
    plan: Plan, turn: Sequence[TenantPlan], at_once: Mapping[str, int]
) -> float | None:
    """Those that begin together."""
    shares = [
        _cluster_estimate(
            [t for t in turn if t.tenant.cluster == c.cluster], at_once.get(c.cluster, 1)
        )
        for c in plan.clusters
    ]
    known = [share for share in shares if share is not None]
    return max(known, default=0.0) if len(known) == len(shares) else None


def _cluster_estimate(tenants: Sequence[TenantPlan], at_once: int) -> float | None:
    """Tenants side by side, but never less than the longest of them."""
    seconds = [t.estimate_seconds for t in tenants if t.groups]
    known = [one for one in seconds if one is not None]
    if len(known) < len(seconds):
        return None
    return max(sum(known) / max(1, at_once), max(known, default=0.0))


def stage_lines(plan: Plan, tenant: TenantPlan, group: GroupPlan) -> list[str]:
    """The typed stages of a group, a line each: the list that the engine runs."""
    return list(stages.explain(tenant, group, plan.request.mode))
