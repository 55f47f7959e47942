"""What `pause`, `resume`, `retry` share: the parts meant, the order, what came of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from windlass.cli.scopes import chosen
from windlass.cli.session import Session
from windlass.cli.show.common import Column, console, plural, print_json, table
from windlass.domain.orders import Change, Order, Verb

if TYPE_CHECKING:
    from windlass.domain.plan import Guard

PAST = {
    Verb.PAUSE: "paused",
    Verb.RESUME: "resumed",
    Verb.CANCEL: "cancelled",
    Verb.RETRY: "to be tried again",
}


def order(
    session: Session,
    verb: Verb,
    campaign: str,
    parts: tuple[str | None, str | None, str | None],
    reason: str,
    guard: "Guard | None" = None,
) -> list[Change]:
    """Order it of the campaign's parts (`--cluster`, `--tenant`, `--window`)."""
    view = session.backend.ledger.status(campaign, windows=parts[2] is not None)
    scopes = chosen(session, view, *parts)
    made = Order(verb, view.campaign, scopes, session.who(), reason)
    return session.backend.order(made, guard)


def tell(session: Session, verb: Verb, changes: Sequence[Change], next_step: str = "") -> int:
    """Say what came of it; 0."""
    campaign = changes[0].scope.campaign
    view = session.backend.ledger.status(campaign)
    if session.as_json:
        print_json(changes_json(campaign, str(view.state), str(verb), changes))
        return 0
    if len(changes) > 1 or changes[0].scope.cluster:
        console().print(_table(changes))
    done = sum(not change.left for change in changes)
    what = campaign if not changes[0].scope.cluster else f"{plural(done, 'part')} of {campaign}"
    session.say(f"{what}: {PAST[verb]}; the campaign is {view.state}. {next_step}".rstrip())
    return 0


def changes_json(campaign: str, state: str, verb: str, changes: Sequence[Change]) -> dict[str, Any]:
    """What an order prints with `-o json`."""
    return {
        "campaign": campaign,
        "state": state,
        "order": verb,
        "changes": [
            {
                "cluster": one.scope.cluster or None,
                "database": one.scope.database or None,
                "window": one.scope.window or None,
                "from": str(one.before),
                "to": str(one.after),
                "left": one.left or None,
            }
            for one in changes
        ],
    }


def _table(changes: Sequence[Change]) -> Any:  # noqa: ANN401 - rich's table
    columns = [Column("part"), Column("was"), Column("is"), Column("left alone because")]
    rows = ((str(c.scope), str(c.before), str(c.after), c.left) for c in changes)
    return table(columns, rows)
