"""Which tenants a question is about."""

from windlass.domain.errors import UsageError
from windlass.domain.plan import Request
from windlass.domain.tenant import Tenant, TenantPattern, database_name
from windlass.engine.activities.desk import Desk


def chosen(desk: Desk, request: Request) -> list[Tenant]:
    """The tenants that the request's patterns mean on this cluster. UsageError: none."""
    dataset = request.dataset
    found = [
        Tenant(desk.cluster, c, p, database_name(dataset.database, c, p))
        for c, p in desk.source.tenants(dataset)
    ]
    meant = [t for t in found if _any(request.tenants, t) and not _any(request.excepted, t)]
    if meant:
        return meant
    customers = ", ".join(sorted({t.customer for t in found})[:10])
    raise UsageError(
        f"no tenant of {desk.cluster} matches {', '.join(request.tenants)}",
        why=f"{len(found)} tenants were found: {customers}",
        next_step="windlass plan shows them all: give `all` for TENANTS",
    )


def _any(patterns: tuple[str, ...], tenant: Tenant) -> bool:
    return any(TenantPattern.parse(p).matches(tenant) for p in patterns)
