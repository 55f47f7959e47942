"""Asking for a plan, and showing it: what `plan` and `run` share."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from windlass.cli import naming
from windlass.cli.request import Words, check_tenants, understand
from windlass.cli.session import Session
from windlass.domain.plan import Plan, Request

if TYPE_CHECKING:
    from rich.console import Console

RECENT = 1000
"""Campaigns whose names a new default name steers clear of."""


def ask_plan(session: Session, words: Words) -> Plan:
    """The plan for what was typed; patterns that mean nobody are refused."""
    asked = understand(words, session.backend.fleet, session.now())
    for note in asked.notes:
        session.say(note)
    return plan_for(session, asked.request)


def plan_for(session: Session, request: Request) -> Plan:
    """Ask all clusters of the request."""
    plan = session.backend.plan(request, session.say)
    check_tenants(plan)
    return plan


def name_for(session: Session, plan: Plan) -> str:
    """The name that the campaign gets when nobody chooses one."""
    taken = {one.name for one in session.backend.ledger.campaigns(RECENT)}
    return naming.default(plan.request, taken)


def at_once(session: Session) -> Mapping[str, int]:
    """How many tenants each cluster works on at a time, by its limits."""
    clusters = session.backend.fleet.clusters.items()
    return {n: max(1, c.limits.windows // c.limits.windows_per_tenant) for n, c in clusters}


def show(
    session: Session, plan: Plan, out: "Console", *, name: str = "", stages: bool = False
) -> None:
    """Print the plan as tables."""
    from windlass.cli.show.plan_table import show_plan

    shown = name or name_for(session, plan)
    show_plan(out, plan, shown, at_once(session), stages=stages)
