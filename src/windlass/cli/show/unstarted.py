"""The JSON of a `run` that had nothing to start: the keys of a run, no campaign."""

from typing import Any

from windlass.cli.show.common import iso
from windlass.cli.show.plan import skipped_json, standing, tenant_json
from windlass.domain.plan import ClusterPlan, Plan, TenantPlan
from windlass.domain.states import Health, State
from windlass.report.coverage import Coverage, coverage_json


def unstarted_json(plan: Plan) -> dict[str, Any]:
    """State `done` where all that there is holds verified, else `nothing_to_do`; `held` says
    which windows of which campaigns those are."""
    return {
        "campaign": None,
        "dataset": plan.request.dataset.name,
        "mode": str(plan.request.mode),
        "start": iso(plan.request.interval.start),
        "end": iso(plan.request.interval.end),
        "state": _state(plan.tenants, any(c.failure for c in plan.clusters)),
        "started_at": None,
        "ended_at": None,
        "eta_seconds": 0,
        "limited_by": "-",
        "rows_loaded": 0,
        "rows_per_second": 0,
        "clusters": [_cluster(one) for one in plan.clusters],
        "skipped": [skipped_json(one) for cluster in plan.clusters for one in cluster.skipped],
        "held": [
            {"cluster": t.tenant.cluster, "database": t.tenant.database, **held}
            for t in plan.tenants
            for held in tenant_json(plan, t)["held"]
            if held["holds"]
        ],
        "tables": [],
        "coverage": coverage_json(_coverage(plan)),
    }


def _coverage(plan: Plan) -> Coverage:
    """Everybody that was found, held (done before), idle or left out."""
    left = sum(len(cluster.skipped) for cluster in plan.clusters)
    stands = [standing(tenant) for tenant in plan.tenants]
    counted = [
        len(c.tenants) + len(c.skipped) if c.found is None else c.found for c in plan.clusters
    ]
    return Coverage(
        sum(counted),
        done=stands.count("held"),
        nothing_to_do=stands.count("nothing_to_do"),
        left_out=left,
        unknown_clusters=tuple(c.cluster for c in plan.clusters if c.failure),
    )


def _state(tenants: tuple[TenantPlan, ...], unknown: bool) -> str:
    if unknown:
        return str(State.UNKNOWN)
    held = any(standing(tenant) == "held" for tenant in tenants)
    return str(State.DONE if held else State.NOTHING_TO_DO)


def _cluster(cluster: ClusterPlan) -> dict[str, Any]:
    return {
        "name": cluster.cluster,
        "state": _state(cluster.tenants, bool(cluster.failure)),
        "note": cluster.failure,
        "limited_by": "-",
        "tenants_total": len(cluster.tenants),
        "tenants_done": len(cluster.tenants),
        "tenants": [_tenant(one) for one in cluster.tenants],
    }


def _tenant(tenant: TenantPlan) -> dict[str, Any]:
    return {
        "customer": tenant.tenant.customer,
        "profile": tenant.tenant.profile,
        "database": tenant.tenant.database,
        "state": _state((tenant,), False),
        "windows_total": 0,
        "windows_done": 0,
        "attempts": 0,
        "health": str(Health.HEALTHY),
        "note": "verified already" if standing(tenant) == "held" else "",
    }
