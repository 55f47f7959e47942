"""`windlass pause`: begin nothing new."""

from windlass.cli.command import command
from windlass.cli.options import ReasonOption
from windlass.cli.orders import order, tell
from windlass.cli.scopes import Campaign, ClusterOption, TenantOption, WindowOnly
from windlass.cli.session import Session
from windlass.domain.orders import Verb


@command(
    "windlass pause acme-jan-feb-2026 --reason 'source maintenance'",
    "windlass pause fleet-jan-2026 --cluster voice-prod",
    "windlass pause fleet-jan-2026 --tenant acme/voice",
)
def app(
    session: Session,
    campaign: Campaign,
    cluster: ClusterOption = None,
    tenant: TenantOption = None,
    window: WindowOnly = None,
    reason: ReasonOption = "",
) -> int:
    """Pause a campaign, or a cluster's share, tenants, or a window of it.

    Windows in flight finish loading, no other begins, and what is loaded waits with its publish;
    a publish that has begun is carried through. Until then the state is `pausing`, after it
    `paused`. A group that is paused for more than ten minutes gives its source snapshot up and
    loads again when it goes on.
    """
    changes = order(session, Verb.PAUSE, campaign, (cluster, tenant, window), reason)
    name = changes[0].scope.campaign
    return tell(session, Verb.PAUSE, changes, f"It goes on with: windlass resume {name}")
