"""Who begins first: canaries, then tenants of higher priority, then as they were found."""

from collections.abc import Sequence

from windlass.domain.plan import Request, TenantPlan
from windlass.domain.tenant import Tenant, TenantPattern


def is_canary(request: Request, tenant: Tenant) -> bool:
    """Whether the rest of the campaign waits until this tenant is verified."""
    return any(TenantPattern.parse(one).matches(tenant) for one in request.canary)


def priority_of(request: Request, tenant: Tenant) -> int:
    """That of the first pattern that means the tenant; 0 where none does."""
    found = (n for one, n in request.priority if TenantPattern.parse(one).matches(tenant))
    return next(found, 0)


def in_order(request: Request, plans: Sequence[TenantPlan]) -> tuple[TenantPlan, ...]:
    """One cluster's tenants in the order in which they begin."""
    return tuple(sorted(plans, key=lambda one: _place(request, one.tenant)))


def _place(request: Request, tenant: Tenant) -> tuple[bool, int]:
    return not is_canary(request, tenant), -priority_of(request, tenant)
