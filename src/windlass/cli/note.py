"""`windlass note`: a remark for the record."""

from typing import Annotated

import typer

from windlass.cli.command import command
from windlass.cli.request import tenants_of
from windlass.cli.session import Session
from windlass.domain.errors import UsageError


@command(
    "windlass note acme-jan-feb-2026 'counts agreed with the customer'",
    "windlass note acme-jan-feb-2026 --tenant acme/voice 'source was frozen until 9:00'",
    prints=False,
)
def app(
    session: Session,
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN", help="Its name.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to remember.")],
    tenant: Annotated[
        str | None, typer.Option("--tenant", metavar="T", help="About these tenants only.")
    ] = None,
) -> int:
    """Write a remark into a campaign's record. It shows up in its report, with your name."""
    if not text.strip():
        raise UsageError("the note is empty", next_step="write what should be remembered")
    ledger = session.backend.ledger
    view = ledger.status(campaign)
    databases = [t.database for t in tenants_of(view, tenant)] if tenant else [""]
    for database in databases:
        ledger.note(view.campaign, session.who(), text.strip(), database)
    session.say(f"noted in {view.campaign}; windlass report {view.campaign} shows it")
    return 0
