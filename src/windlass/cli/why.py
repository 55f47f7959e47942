"""`windlass why`: one window in a paragraph."""

from typing import Annotated

import typer

from windlass.cli.command import command
from windlass.cli.scopes import find_window
from windlass.cli.session import Session
from windlass.cli.show.common import console, iso, print_json, styled
from windlass.cli.show.why import Story, lineage, paragraph
from windlass.domain.errors import UsageError
from windlass.domain.record import StatusView, WindowView


@command(
    "windlass why acme-jan-feb-2026/acme_voice/20260101-20260111",
    "windlass why acme_voice/20260101-20260111 -o json",
)
def app(
    session: Session,
    window: Annotated[
        str, typer.Argument(metavar="WINDOW", help="Its id, as status --windows shows it.")
    ],
) -> int:
    """Why a window is as large as it is, was cut, is slow, or waits: with the evidence.

    Reads the ledger only. Without a campaign in its id the latest campaign is meant.
    """
    story = _story(session, window)
    text = paragraph(story, session.now())
    if session.as_json:
        print_json(_json(story, text))
    else:
        console().print(styled(text, ""), soft_wrap=False)
    return 0


def _story(session: Session, window: str) -> Story:
    ledger = session.backend.ledger
    view = ledger.status(_campaign(session, window), windows=True)
    one = _found(view, window)
    tenant = next(t for t in view.tenants if (t.cluster, t.database) == (one.cluster, one.database))
    facts = ledger.facts(view.campaign)
    family = {"", one.id, *(w.id for w in lineage(one, tenant))}
    actions = [
        a
        for a in facts.actions
        if a.scope.window in family
        and a.scope.database in {"", one.database}
        and a.scope.cluster in {"", one.cluster}
    ]
    return Story(
        one,
        tenant,
        facts.plan.request,
        tuple(ledger.events(view.campaign, one.id)),
        tuple(actions),
        tuple(n for n in facts.notes if n.database in {"", one.database}),
        ledger.rate(one.cluster, one.database),
    )


def _campaign(session: Session, window: str) -> str | None:
    """The campaign that the id begins with; None (the latest) where it names none."""
    head = window.partition("/")[0]
    try:
        return session.backend.ledger.campaign(head).name
    except UsageError:
        return None


def _found(view: StatusView, window: str) -> WindowView:
    """Also one that was cut into smaller ones."""
    cut = [w for t in view.tenants for w in t.windows if w.replaced and w.id == window]
    return cut[0] if cut else find_window(view, view.tenants, window)


def _json(story: Story, text: str) -> dict[str, object]:
    one = story.window
    return {
        "id": one.id,
        "cluster": one.cluster,
        "database": one.database,
        "start": iso(one.interval.start),
        "end": iso(one.interval.end),
        "state": str(one.state),
        "verdict": None if one.verdict is None else str(one.verdict),
        "attempts": one.attempts,
        "rows": one.rows,
        "rows_planned": one.rows_planned,
        "seconds": one.seconds,
        "rows_per_second": story.rate,
        "expected_rows_per_second": story.expected[0] if story.expected else None,
        "expected_basis": story.expected[1] if story.expected else None,
        "lineage": [w.id for w in story.lineage],
        "events": [{"at": iso(e.at), "kind": e.kind, "text": e.text} for e in story.events],
        "orders": [
            {
                "at": iso(a.at),
                "order": a.verb,
                "who": a.who,
                "why": a.why,
                "from": a.before,
                "to": a.after,
            }
            for a in story.actions
        ],
        "text": text,
    }
