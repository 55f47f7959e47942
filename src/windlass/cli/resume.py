"""`windlass resume`: go on with what was paused."""

from windlass.cli.command import command
from windlass.cli.options import ReasonOption
from windlass.cli.orders import order, tell
from windlass.cli.scopes import Campaign, ClusterOption, TenantOption, WindowOnly
from windlass.cli.session import Session
from windlass.domain.orders import Verb


@command(
    "windlass resume acme-jan-feb-2026",
    "windlass resume fleet-jan-2026 --tenant acme/voice --reason 'index is built'",
)
def app(
    session: Session,
    campaign: Campaign,
    cluster: ClusterOption = None,
    tenant: TenantOption = None,
    window: WindowOnly = None,
    reason: ReasonOption = "",
) -> int:
    """Let go on what was paused, with every part of it.

    What a whole pauses, its parts cannot resume: exit code 4 says what to resume instead.
    """
    changes = order(session, Verb.RESUME, campaign, (cluster, tenant, window), reason)
    name = changes[0].scope.campaign
    return tell(session, Verb.RESUME, changes, f"Follow it with: windlass watch {name}")
