"""`windlass cancel`: stop a campaign, and see that it has stopped."""

from typing import Annotated

import typer

from windlass.cli.command import command
from windlass.cli.ending import ATTACHABLE, OK
from windlass.cli.follow import Health
from windlass.cli.options import ReasonOption, YesOption, agreed
from windlass.cli.session import Session
from windlass.cli.show.common import print_json
from windlass.cli.show.live import screen
from windlass.domain.record import StatusView
from windlass.domain.states import State
from windlass.report.status import status_json

PATIENCE = 180.0
"""Seconds that the command waits for the proof; the cancellation itself goes on after that."""


@command(
    "windlass cancel acme-jan-feb-2026",
    "windlass cancel acme-jan-feb-2026 --yes --reason 'wrong range'",
)
def app(
    session: Session,
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN", help="Its name.")],
    reason: ReasonOption = "",
    yes: YesOption = False,
) -> int:
    """Stop a campaign. Windows that were published stay as they are.

    What is in flight is killed on both servers and proven dead before the campaign counts as
    cancelled; the command waits for that for up to three minutes (exit code 3 if it takes
    longer: it goes on by itself).
    """
    view = session.backend.ledger.status(campaign)
    kept = f"{view.windows_done} of {view.windows_total} windows are published and stay"
    if not view.state.final or view.state is State.PARKED:
        agreed(session, f"Cancel {view.campaign}? {kept}.", yes)
    session.backend.cancel(view.campaign, session.who(), reason)
    return _ended(session, _wait(session, view.campaign))


def _wait(session: Session, campaign: str) -> StatusView:
    """Until it has ended, or patience has."""
    until = session.now().timestamp() + PATIENCE
    health = Health(session, campaign)
    with screen(session.now) as shown:
        while True:
            view = session.backend.ledger.status(campaign)
            shown.show(view)
            if view.state is not State.CANCELLING or session.now().timestamp() > until:
                return view
            health.look(shown)
            session.wait(shown.every)


def _ended(session: Session, view: StatusView) -> int:
    if session.as_json:
        print_json(status_json(view))
    kept = f"{view.windows_done} of {view.windows_total} windows are published and stay"
    if view.state is State.CANCELLING:
        session.say(f"still cancelling; it goes on by itself: windlass watch {view.campaign}")
        return ATTACHABLE
    session.say(f"{view.campaign} is {view.state}: no query of it is left on either server; {kept}")
    return OK
