"""`windlass status`: where campaigns, tenants and windows stand, from the ledger alone."""

from typing import TYPE_CHECKING, Annotated

import typer

from windlass.cli.command import command
from windlass.cli.request import CampaignArgument
from windlass.cli.session import Session
from windlass.cli.show.common import console, print_json, styled
from windlass.cli.show.needs import Need, needs, needs_json
from windlass.cli.show.outlook import outlook_json, outlook_text
from windlass.cli.show.status import campaigns_json, everybody, narrowed, needs_operator
from windlass.cli.show.status_table import campaign_table, headline, status_parts, tenant_table
from windlass.domain.record import CampaignRecord, StatusView
from windlass.domain.states import State
from windlass.report.status import status_json

if TYPE_CHECKING:
    from rich.console import Console

RECENT = 10
LOOKED_THROUGH = 30
"""Campaigns that `--needs-me` without a name looks through, the latest first."""


@command(
    "windlass status",
    "windlass status acme-jan-feb-2026 --windows -o json",
    "windlass status --needs-me",
)
def app(
    session: Session,
    campaign: CampaignArgument = None,
    tenants: Annotated[bool, typer.Option("--tenants", help="A line per tenant.")] = False,
    windows: Annotated[bool, typer.Option("--windows", help="A line per window, too.")] = False,
    needs_me: Annotated[
        bool, typer.Option("--needs-me", help="Only what waits for you, with the reason.")
    ] = False,
) -> int:
    """Where a campaign stands, the latest one when none is named. Reads the ledger only.

    Without a name the recent campaigns are listed too; `--needs-me` without a name looks through
    all of them for tenants that are parked, unknown, or ended unverified. Exits 0
    whatever the state is: `windlass watch` is the one that waits and judges.
    """
    ledger = session.backend.ledger
    recent = [] if campaign else ledger.campaigns(RECENT)
    if not campaign and not recent:
        return _none(session)
    if needs_me and not campaign and not session.as_json:
        return _needs_me(session)
    view = ledger.status(campaign, windows=True)
    _print(session, view, recent, tenants=tenants, windows=windows, needs_me=needs_me)
    return 0


def _none(session: Session) -> int:
    session.say("no campaign yet; next: windlass plan CLUSTERS TENANTS START END")
    if session.as_json:
        print_json({"campaign": None, "state": None, "clusters": [], "skipped": []})
    return 0


def _print(
    session: Session,
    view: StatusView,
    recent: list[CampaignRecord],
    *,
    tenants: bool,
    windows: bool,
    needs_me: bool,
) -> None:
    wanted = needs_operator if needs_me else everybody
    if session.as_json:
        shown = status_json(narrowed(view, wanted), windows=windows, whole=view)
        shown |= outlook_json(view, session.now())
        if needs_me:
            shown["needs_me"] = needs_json(_waiting(session, view if not recent else None))
        print_json(shown | ({"campaigns": campaigns_json(recent)} if recent else {}))
        return
    out = console()
    detail = tenants or needs_me or (len(view.tenants) <= 20 and not windows)
    for part in status_parts(view, tenants=detail, windows=windows, wanted=wanted):
        out.print(part)
    if needs_me:
        _print_needs(out, needs(view), "nothing of it needs you")
    others = [one for one in recent if one.name != view.campaign]
    if others:
        out.print(campaign_table(others))
    out.print(styled(f"{view.campaign}: {outlook_text(view, session.now())}", ""), soft_wrap=True)


def _needs_me(session: Session) -> int:
    """Over all recent campaigns: what waits for the operator."""
    ledger, out, found = session.backend.ledger, console(), 0
    for record in ledger.campaigns(LOOKED_THROUGH):
        if record.state in {State.CANCELLED, State.NOTHING_TO_DO}:
            continue
        view = ledger.status(record.name, windows=True)
        waiting = needs(view)
        found += len(waiting)
        if waiting:
            out.print(headline(view))
            out.print(tenant_table([t for t in view.tenants if needs_operator(t)]))
            _print_needs(out, waiting, "")
    if not found:
        out.print(styled("nothing needs you", "green"))
    return 0


def _print_needs(out: "Console", found: list[Need], nothing: str) -> None:
    """A line each, with the command; never cut in two by a narrow terminal."""
    if not found:
        out.print(styled(nothing, "green"))
    for one in found:
        part = "/".join(name for name in (one.campaign, one.cluster, one.database) if name)
        out.print(f"{part}: {one.state}; next: {one.next}", soft_wrap=True, markup=False)


def _waiting(session: Session, view: StatusView | None) -> list[Need]:
    """Of that campaign, or of all recent ones."""
    if view is not None:
        return needs(view)
    ledger = session.backend.ledger
    return [
        need
        for record in ledger.campaigns(LOOKED_THROUGH)
        if record.state not in {State.CANCELLED, State.NOTHING_TO_DO}
        for need in needs(ledger.status(record.name, windows=True))
    ]
