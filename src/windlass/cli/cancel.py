"""`windlass cancel`: stop a campaign, and see that it has stopped."""

from dataclasses import replace

from windlass.cli.command import command
from windlass.cli.ending import ATTACHABLE, OK
from windlass.cli.follow import Health
from windlass.cli.options import ReasonOption, YesOption, agreed
from windlass.cli.orders import tell
from windlass.cli.scopes import Campaign, ClusterOption, TenantOption, WindowOnly, chosen, state_in
from windlass.cli.session import Session
from windlass.cli.show.common import print_json
from windlass.cli.show.live import screen
from windlass.domain.orders import Order, Verb
from windlass.domain.record import Scope, StatusView
from windlass.domain.states import State
from windlass.report.status import status_json

EVERY = 0.5
"""Seconds between two looks at parts that are being cancelled."""
PATIENCE = 180.0
"""Seconds that the command waits for the proof; the cancellation itself goes on after that."""


@command(
    "windlass cancel acme-jan-feb-2026",
    "windlass cancel acme-jan-feb-2026 --yes --reason 'wrong range'",
    "windlass cancel fleet-jan-2026 --tenant acme/voice --yes",
)
def app(
    session: Session,
    campaign: Campaign,
    cluster: ClusterOption = None,
    tenant: TenantOption = None,
    window: WindowOnly = None,
    reason: ReasonOption = "",
    yes: YesOption = False,
) -> int:
    """Stop a campaign, or a part of it. Windows that were published stay as they are.

    What is in flight is killed on both servers and proven dead before it counts as cancelled;
    the command waits for that for up to three minutes (exit code 3 if it takes longer: it goes
    on by itself).
    """
    view = session.backend.ledger.status(campaign, windows=window is not None)
    if (cluster, tenant, window) != (None, None, None):
        scopes = chosen(session, view, cluster, tenant, window)
        return _parts(session, view, scopes, reason, yes)
    kept = f"{view.windows_done} of {view.windows_total} windows are published and stay"
    if not view.state.final or view.state is State.PARKED:
        agreed(session, f"Cancel {view.campaign}? {kept}.", yes)
    session.backend.cancel(view.campaign, session.who(), reason)
    return _ended(session, wait(session, view.campaign))


def _parts(
    session: Session, view: StatusView, scopes: tuple[Scope, ...], reason: str, yes: bool
) -> int:
    """Cancel parts of it; the rest goes on."""
    named = ", ".join(map(str, scopes[:3])) + (" …" if len(scopes) > 3 else "")
    agreed(session, f"Cancel {named}? What is published stays.", yes)
    made = Order(Verb.CANCEL, view.campaign, scopes, session.who(), reason)
    changes = session.backend.order(made)
    until, cancelling = session.now().timestamp() + PATIENCE, True
    while cancelling and session.now().timestamp() <= until:
        now = session.backend.ledger.status(view.campaign, windows=True)
        changes = [replace(one, after=state_in(now, one.scope)) for one in changes]
        cancelling = any(one.after is State.CANCELLING and not one.left for one in changes)
        if cancelling:
            session.wait(EVERY)
    tell(session, Verb.CANCEL, changes)
    return ATTACHABLE if cancelling else OK


def wait(session: Session, campaign: str) -> StatusView:
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
