"""`windlass retry`: run again what is parked."""

from typing import TYPE_CHECKING

from windlass.cli.command import command
from windlass.cli.options import AcceptOption, ExpectOption, ReasonOption
from windlass.cli.orders import order, tell
from windlass.cli.request import expected_removals
from windlass.cli.scopes import Campaign, ClusterOption, TenantOption, WindowOnly
from windlass.cli.session import Session
from windlass.domain.orders import Verb

if TYPE_CHECKING:
    from windlass.domain.plan import Guard


@command(
    "windlass retry acme-jan-feb-2026",
    "windlass retry acme-jan-feb-2026 --tenant acme/voice --reason 'permission granted'",
    "windlass retry acme-jan-feb-2026 --expect-removed scorecard=31503",
)
def app(
    session: Session,
    campaign: Campaign,
    cluster: ClusterOption = None,
    tenant: TenantOption = None,
    window: WindowOnly = None,
    reason: ReasonOption = "",
    expect_removed: ExpectOption = None,
    accept_removal: AcceptOption = False,
) -> int:
    """Run again what is parked: windows, with all that is published with them; done ones stay.

    Also after the campaign has ended. `--expect-removed` and `--accept-removal` release what
    parked because more rows would go than exclusions explain; they hold for the campaign from
    then on.
    """
    guard = _guard(session, campaign, expect_removed or [], accept_removal)
    changes = order(session, Verb.RETRY, campaign, (cluster, tenant, window), reason, guard)
    name = changes[0].scope.campaign
    return tell(session, Verb.RETRY, changes, f"Follow it with: windlass watch {name}")


def _guard(session: Session, campaign: str, expected: list[str], accept: bool) -> "Guard | None":
    """What may be removed from now on, over what was allowed before; None: as before."""
    from dataclasses import replace

    if not expected and not accept:
        return None
    plan = session.backend.ledger.campaign_plan(campaign)
    tables = [table.name for table in plan.request.dataset.tables]
    now = plan.request.guard
    told = {**now.expected, **expected_removals(expected, tables)}
    return replace(now, expected=told, accept=now.accept or accept)
