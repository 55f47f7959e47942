"""Staying with a campaign until it ends. The viewer may go at any time: the campaign goes on."""

from contextlib import suppress
from dataclasses import dataclass

from windlass.cli.session import Session
from windlass.cli.show.live import Screen, screen
from windlass.cli.show.outlook import outlook_text
from windlass.domain.errors import UnreachableError
from windlass.domain.record import StatusView

PULSE = 15.0
"""Seconds between two looks at whether the workflows are alive."""


def follow(session: Session, campaign: str) -> StatusView:
    """Show the campaign until nothing moves any more without an operator's word."""
    record, health = Record(session, campaign), Health(session, campaign)
    with screen(session.now) as shown:
        while True:
            view = record.read(shown)
            if view is not None:
                shown.show(view)
                if view.state.final:
                    return view
                health.look(shown)
            session.wait(shown.every)


def detached(session: Session, campaign: str) -> None:
    """Say that only the viewer has gone."""
    session.say(f"\ndetached: campaign {campaign} goes on")
    session.say(f"  look again: windlass watch {campaign}")
    session.say(f"  stop it:    windlass cancel {campaign}")
    with suppress(UnreachableError):
        view = session.backend.ledger.status(campaign, windows=True)
        session.say(f"  until then: {outlook_text(view, session.now())}")


@dataclass
class Record:
    """The campaign in the ledger; a ledger that is away is said once, and waited for."""

    session: Session
    campaign: str
    away: bool = False

    def read(self, shown: Screen) -> StatusView | None:
        """How it stands; None while nobody can say."""
        try:
            view = self.session.backend.ledger.status(self.campaign)
        except UnreachableError as error:
            if not self.away:
                shown.say(f"{error}\n  (the campaign does not depend on this; still looking)")
            self.away = True
            return None
        if self.away:
            shown.say("the ledger answers again")
        self.away = False
        return view


@dataclass
class Health:
    """Whether what drives the campaign is alive; a Temporal that is away is said once, and
    waited for: a viewer's trouble never fails a campaign."""

    session: Session
    campaign: str
    looked: float = 0.0
    away: bool = False

    def look(self, shown: Screen) -> None:
        """Look now and then. Raises when a workflow has ended though its books are open."""
        now = self.session.now().timestamp()
        if now - self.looked < PULSE:
            return
        self.looked = now
        try:
            self.session.backend.pulse(self.campaign)
        except UnreachableError as error:
            if not self.away:
                shown.say(f"{error}\n  (the campaign waits and goes on by itself; still looking)")
            self.away = True
            return
        if self.away:
            shown.say("Temporal answers again")
        self.away = False
