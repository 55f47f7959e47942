"""`windlass watch`: follow a campaign."""

from windlass.cli.command import command
from windlass.cli.ending import conclude
from windlass.cli.failures import INTERRUPTED
from windlass.cli.follow import detached, follow
from windlass.cli.request import CampaignArgument
from windlass.cli.session import Session


@command("windlass watch", "windlass watch acme-jan-feb-2026")
def app(session: Session, campaign: CampaignArgument = None) -> int:
    """Follow a campaign live, the latest one when none is named. Ctrl-C leaves it running.

    Ends with the campaign: exit code 0 when all of it is verified, 1 when not. Ctrl-C exits
    with 130, and the campaign goes on.
    """
    name = session.backend.ledger.campaign(campaign).name
    try:
        follow(session, name)
    except KeyboardInterrupt:
        detached(session, name)
        return INTERRUPTED
    return conclude(session, name)
