"""`windlass history`: what was rebuilt, when, by which campaign, and how fast."""

from typing import Annotated

import typer

from windlass.cli.command import command
from windlass.cli.request import nearest
from windlass.cli.session import Session
from windlass.cli.show.common import console, print_json, styled
from windlass.cli.show.history import by_tenant, calendar, history_table, tenant_json
from windlass.domain.errors import UsageError
from windlass.domain.record import HistoryEntry
from windlass.domain.tenant import Tenant
from windlass.planner import parse

MOST = 200_000
"""Windows that are looked at, the latest first."""
CALENDARS = 10
"""Tenants that get a calendar on the terminal; JSON has all of them."""


@command(
    "windlass history",
    "windlass history --tenant acme/voice",
    "windlass history --tenant 'voice-prod/acme*' -o json",
)
def app(
    session: Session,
    tenant: Annotated[
        str | None,
        typer.Option("--tenant", metavar="T", help="These tenants, each with a calendar."),
    ] = None,
) -> int:
    """Which days of each tenant were rebuilt, when last, by which campaign, and at what rate.

    With `--tenant` a calendar shows every day: how it was verified, and how many rows it holds.
    Reads the ledger only.
    """
    entries = session.backend.ledger.history(limit=MOST)
    tenants = by_tenant(_meant(entries, tenant) if tenant is not None else entries)
    if session.as_json:
        print_json({"tenants": [tenant_json(one, days=tenant is not None) for one in tenants]})
        return 0
    if not tenants:
        session.say("nothing was rebuilt yet; next: windlass plan CLUSTERS TENANTS START END")
        return 0
    out = console()
    out.print(history_table(tenants))
    for one in tenants[:CALENDARS] if tenant is not None else []:
        out.print(calendar(one))
        notes = session.backend.ledger.notes_on(one.cluster, one.database)
        for note in notes[:5]:
            text = f"{note.at:%Y-%m-%d %H:%M} {note.who}, {note.campaign}: {note.text}"
            out.print(styled(text, "dim"))
    return 0


def _meant(entries: list[HistoryEntry], text: str) -> list[HistoryEntry]:
    """Those of the tenants that are meant. UsageError: nobody of that name was ever rebuilt."""
    patterns = parse.patterns(text)
    found = [
        one
        for one in entries
        if any(
            p.matches(Tenant(one.cluster, one.customer, one.profile, one.database))
            for p in patterns
        )
    ]
    if entries and not found:
        known = sorted({one.customer for one in entries})
        raise UsageError(
            f"nothing of {text} was ever rebuilt", next_step=nearest(patterns[0].customer, known)
        )
    return found
