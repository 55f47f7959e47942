"""A campaign's state as JSON, with the keys that other programs rely on."""

from datetime import UTC, datetime
from typing import Any

from windlass.domain.record import ClusterView, StatusView, TenantView, WindowView
from windlass.report.coverage import coverage, coverage_json


def status_json(
    view: StatusView, *, windows: bool = False, whole: StatusView | None = None
) -> dict[str, Any]:
    """What `windlass status -o json` prints; `windows` adds every tenant's windows. `whole` is the
    campaign with all tenants, where `view` shows some."""
    return {
        "campaign": view.campaign,
        "dataset": view.dataset,
        "mode": str(view.mode),
        "start": iso(view.interval.start),
        "end": iso(view.interval.end),
        "reason": view.reason,
        "state": str(view.state),
        "note": view.note,
        "verdict": None if view.verdict is None else str(view.verdict),
        "created_at": iso(view.created_at),
        "started_at": iso(view.started_at),
        "ended_at": iso(view.ended_at),
        "eta_seconds": view.eta_seconds,
        "limited_by": view.limited_by or "-",
        "rows_planned": view.rows_planned,
        "rows_loaded": view.rows_loaded,
        "rows_per_second": view.rows_per_second,
        "windows_total": view.windows_total,
        "windows_done": view.windows_done,
        "windows_undone": view.windows_undone,
        "undone_at": iso(view.undone_at),
        "supersedes": view.supersedes or None,
        "superseded_by": view.superseded_by or None,
        "coverage": coverage_json(coverage(whole or view)),
        "clusters": [_cluster(one, windows) for one in view.clusters],
        "skipped": [
            {
                "cluster": one.cluster,
                "customer": one.customer,
                "profile": one.profile,
                "reason": one.reason,
            }
            for one in view.skipped
        ],
    }


def iso(instant: datetime | None) -> str | None:
    """RFC 3339 in UTC, as every JSON output writes it."""
    if instant is None:
        return None
    return f"{instant.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"


def _cluster(cluster: ClusterView, windows: bool) -> dict[str, Any]:
    return {
        "name": cluster.name,
        "state": str(cluster.state),
        "note": cluster.note,
        "limited_by": cluster.limited_by or "-",
        "tenants_total": cluster.tenants_total,
        "tenants_done": cluster.tenants_done,
        "found": cluster.found,
        "tenants": [_tenant(one, windows) for one in cluster.tenants],
    }


def _tenant(tenant: TenantView, windows: bool) -> dict[str, Any]:
    shown = {
        "customer": tenant.customer,
        "profile": tenant.profile,
        "database": tenant.database,
        "state": str(tenant.state),
        "verdict": None if tenant.verdict is None else str(tenant.verdict),
        "canary": tenant.canary,
        "priority": tenant.priority,
        "windows_total": tenant.windows_total,
        "windows_done": tenant.windows_done,
        "attempts": tenant.attempts,
        "health": str(tenant.health),
        "note": tenant.note,
        "rows_planned": tenant.rows_planned,
        "rows_loaded": tenant.rows_loaded,
        "estimate_seconds": tenant.estimate_seconds,
        "started_at": iso(tenant.started_at),
        "ended_at": iso(tenant.ended_at),
    }
    return shown | ({"windows": [_window(one) for one in tenant.windows]} if windows else {})


def _window(window: WindowView) -> dict[str, Any]:
    return {
        "id": window.id,
        "start": iso(window.interval.start),
        "end": iso(window.interval.end),
        "state": str(window.state),
        "verdict": None if window.verdict is None else str(window.verdict),
        "attempts": window.attempts,
        "rows": window.rows,
        "rows_planned": window.rows_planned,
        "seconds": window.seconds,
        "parent": window.parent or None,
        "replaced": window.replaced,
        "undone_at": iso(window.undone_at),
        "note": window.note,
    }
