"""Whom a status is about, and campaigns in short."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from windlass.cli.show.common import iso
from windlass.domain.record import CampaignRecord, StatusView, TenantView
from windlass.domain.states import State, Verdict

Wanted = Callable[[TenantView], bool]
"""Which tenants to show."""

NEEDY = frozenset({State.PARKED, State.UNKNOWN})


def everybody(tenant: TenantView) -> bool:
    """All tenants."""
    return True


def needs_operator(tenant: TenantView) -> bool:
    """Parked (or some of it), unknown, or ended without being verified; `tenant` carries its
    windows. What struggles is looked after without anybody."""
    parked = any(w.state is State.PARKED and not w.replaced for w in tenant.windows)
    unproven = any(w.verdict in {Verdict.MISMATCH, Verdict.UNVERIFIED} for w in tenant.windows)
    return tenant.state in NEEDY or parked or unproven


def narrowed(view: StatusView, wanted: Wanted) -> StatusView:
    """The campaign with those tenants only; its totals stay."""
    clusters = tuple(
        replace(one, tenants=tuple(t for t in one.tenants if wanted(t))) for one in view.clusters
    )
    return replace(view, clusters=clusters)


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
