"""Who there is on a cluster, and whom a request means."""

from collections.abc import Sequence
from difflib import get_close_matches

from windlass.domain.dataset import Dataset
from windlass.domain.errors import UsageError
from windlass.domain.plan import Request
from windlass.domain.tenant import Tenant, TenantPattern, database_name
from windlass.engine.activities.desk import Desk


def everybody(desk: Desk, dataset: Dataset) -> list[Tenant]:
    """The dataset's tenants on this cluster, as the source knows them."""
    return [
        Tenant(desk.cluster, c, p, database_name(dataset.database, c, p))
        for c, p in desk.source.tenants(dataset)
    ]


def meant(patterns: Sequence[str], tenant: Tenant) -> bool:
    """Whether one of the patterns means the tenant."""
    return any(TenantPattern.parse(pattern).matches(tenant) for pattern in patterns)


def chosen(desk: Desk, request: Request) -> list[Tenant]:
    """The tenants that the request's patterns mean on this cluster. UsageError: none."""
    found = everybody(desk, request.dataset)
    wanted = [t for t in found if meant(request.tenants, t) and not meant(request.excepted, t)]
    if wanted:
        return wanted
    customers = sorted({t.customer for t in found})
    raise UsageError(
        f"no tenant of {desk.cluster} matches {', '.join(request.tenants)}",
        why=f"the source knows {', '.join(customers[:10]) or 'nobody'}",
        next_step=_nearest(request.tenants, customers)
        or "windlass plan shows them all: give `all` for TENANTS",
    )


def _nearest(patterns: Sequence[str], customers: Sequence[str]) -> str:
    names = [TenantPattern.parse(pattern).customer for pattern in patterns]
    near = [one for name in names for one in get_close_matches(name, customers, 1)]
    return f"did you mean {' or '.join(dict.fromkeys(near))}?" if near else ""
