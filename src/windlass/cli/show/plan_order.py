"""Who begins first, for a person: canaries, then by priority."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from windlass.cli.show.common import plural, styled
from windlass.cli.show.plan import canaries, standing
from windlass.domain.plan import Plan, TenantPlan
from windlass.planner.order import priority_of

if TYPE_CHECKING:
    from rich.console import RenderableType

NAMED = 8
"""Tenants that are named in one line."""


def order_lines(plan: Plan) -> Iterator["RenderableType"]:
    """The turns in which tenants begin; nothing where nobody goes first."""
    request = plan.request
    if not (request.canary or request.priority):
        return
    yield styled("Order", "bold")
    first = canaries(plan)
    rest = [t for t in plan.tenants if t not in first and t.groups]
    if request.canary:
        yield from _canary_lines(first, rest)
    by_priority: dict[int, list[TenantPlan]] = {}
    for tenant in rest:
        by_priority.setdefault(priority_of(request, tenant.tenant), []).append(tenant)
    for place in sorted(by_priority, reverse=True):
        yield styled(f"  priority {place}: {_names(by_priority[place])}", "")


def _canary_lines(
    first: Sequence[TenantPlan], rest: Sequence[TenantPlan]
) -> Iterator["RenderableType"]:
    todo = [t for t in first if t.groups]
    for tenant in first:
        if not tenant.groups:
            why = "is verified already" if standing(tenant) == "held" else "has nothing to do"
            yield styled(f"  canary {tenant.tenant} {why}: nobody waits for it", "yellow")
    if todo:
        others = plural(len(rest), "other tenant")
        yield styled(
            f"  canary: {_names(todo)}; {others} of all clusters wait until every window of "
            f"{'it' if len(todo) == 1 else 'them'} is verified",
            "",
        )
    elif first and rest:
        yield styled("  no canary has anything to do: the others begin at once", "yellow")


def _names(tenants: Sequence[TenantPlan]) -> str:
    names = [str(t.tenant) for t in tenants]
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
