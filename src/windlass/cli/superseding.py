"""`run --supersedes`: the older campaign ends, with proof, before the new one begins."""

from typing import TypeGuard

from windlass.cli.cancel import wait
from windlass.cli.session import Session
from windlass.domain.errors import UnreachableError
from windlass.domain.record import CampaignRecord, Scope
from windlass.domain.states import State


def superseded(session: Session, name: str) -> CampaignRecord:
    """The older campaign. UsageError: there is none of that name."""
    return session.backend.ledger.campaign(name)


def runs(old: CampaignRecord | None) -> TypeGuard[CampaignRecord]:
    """Whether something of it would still hold its tenants, or run again when told to."""
    return old is not None and (not old.state.final or old.state is State.PARKED)


def end(session: Session, old: CampaignRecord, name: str, reason: str) -> None:
    """Cancel it, and wait until nothing of it is left on any server; say in its record what
    takes its place. UnreachableError: it takes too long, and nothing was started."""
    why = f"superseded by {name}" + (f": {reason}" if reason else "")
    ledger = session.backend.ledger
    if runs(old):
        if old.state is not State.CANCELLING:
            session.backend.cancel(old.name, session.who(), why)
        view = wait(session, old.name)
        if view.state is State.CANCELLING:
            raise UnreachableError(
                f"campaign {old.name} is still cancelling: nothing was started",
                why="what it runs on the servers is not proven dead yet",
                next_step=f"windlass watch {old.name}, then the same command again",
            )
        session.say(f"{old.name} is {view.state}: no query of it is left on either server")
    ledger.action(Scope(old.name), "supersede", session.who(), why, str(old.state), name)
    ledger.note(old.name, session.who(), why)
