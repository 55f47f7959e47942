"""How a campaign stands, as JSON with the keys that other programs rely on."""

from collections.abc import Callable, Iterable
from typing import Any

from windlass.cli.show.common import iso
from windlass.cli.show.plan import skipped_json
from windlass.domain.record import CampaignRecord, ClusterView, StatusView, TenantView, WindowView
from windlass.domain.states import Health, State, Verdict

Wanted = Callable[[TenantView], bool]
"""Which tenants to show."""

NEEDY = frozenset({State.PARKED, State.UNKNOWN})


def everybody(tenant: TenantView) -> bool:
    """All tenants."""
    return True


def needs_operator(tenant: TenantView) -> bool:
    """Parked, unknown, struggling, or ended without being verified."""
    unproven = any(w.verdict in {Verdict.MISMATCH, Verdict.UNVERIFIED} for w in tenant.windows)
    struggling = tenant.health is Health.STRUGGLING and not tenant.state.final
    return tenant.state in NEEDY or struggling or unproven


def status_json(
    view: StatusView, *, windows: bool = False, wanted: Wanted = everybody
) -> dict[str, Any]:
    """The whole campaign."""
    return {
        "campaign": view.campaign,
        "dataset": view.dataset,
        "mode": str(view.mode),
        "start": iso(view.interval.start),
        "end": iso(view.interval.end),
        "reason": view.reason,
        "state": str(view.state),
        "note": view.note,
        "verdict": _text(view.verdict),
        "created_at": iso(view.created_at),
        "started_at": iso(view.started_at),
        "ended_at": iso(view.ended_at),
        "eta_seconds": view.eta_seconds,
        "limited_by": view.limited_by,
        "rows_planned": view.rows_planned,
        "rows_loaded": view.rows_loaded,
        "rows_per_second": view.rows_per_second,
        "windows_total": view.windows_total,
        "windows_done": view.windows_done,
        "clusters": [_cluster(one, windows, wanted) for one in view.clusters],
        "skipped": [skipped_json(one) for one in view.skipped],
    }


def _cluster(cluster: ClusterView, windows: bool, wanted: Wanted) -> dict[str, Any]:
    return {
        "name": cluster.name,
        "state": str(cluster.state),
        "note": cluster.note,
        "limited_by": cluster.limited_by,
        "tenants_total": cluster.tenants_total,
        "tenants_done": cluster.tenants_done,
        "tenants": [_tenant(one, windows) for one in cluster.tenants if wanted(one)],
    }


def _tenant(tenant: TenantView, windows: bool) -> dict[str, Any]:
    shown = {
        "customer": tenant.customer,
        "profile": tenant.profile,
        "database": tenant.database,
        "state": str(tenant.state),
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
    return shown | ({"windows": [window_json(w) for w in tenant.windows]} if windows else {})


def window_json(window: WindowView) -> dict[str, Any]:
    """One window."""
    return {
        "id": window.id,
        "start": iso(window.interval.start),
        "end": iso(window.interval.end),
        "state": str(window.state),
        "verdict": _text(window.verdict),
        "attempts": window.attempts,
        "rows": window.rows,
        "rows_planned": window.rows_planned,
        "seconds": window.seconds,
        "parent": window.parent or None,
        "replaced": window.replaced,
        "note": window.note,
    }


def campaigns_json(records: Iterable[CampaignRecord]) -> list[dict[str, Any]]:
    """Campaigns in short, the latest first."""
    return [
        {
            "campaign": one.name,
            "dataset": one.dataset,
            "state": str(one.state),
            "start": iso(one.interval.start),
            "end": iso(one.interval.end),
            "clusters": list(one.clusters),
            "tenants": list(one.tenants),
            "who": one.who,
            "reason": one.reason,
            "created_at": iso(one.created_at),
            "ended_at": iso(one.ended_at),
        }
        for one in records
    ]


def _text(word: Verdict | None) -> str | None:
    return None if word is None else str(word)
