"""How a campaign ended: its figures, its verdict, the next useful command, the exit code."""

from typing import TYPE_CHECKING, Any

from windlass.cli.session import Session
from windlass.cli.show.common import console, duration, print_json, styled
from windlass.cli.show.outlook import outlook_json, outlook_text
from windlass.cli.show.profile import profile_table
from windlass.cli.show.results import result_table
from windlass.cli.show.status import needs_operator
from windlass.cli.show.status_table import headline, tenant_table
from windlass.domain.record import StatusView
from windlass.domain.states import State
from windlass.report.model import as_json, build
from windlass.report.status import status_json

if TYPE_CHECKING:
    from rich.console import Console

OK, NOT_ALL, ATTACHABLE = 0, 1, 3


def conclude(session: Session, campaign: str, *, profile: bool = False) -> int:
    """Print the end of a campaign, and say what it is worth: 0 only when all is verified. With
    `profile`, where its time went too."""
    report = build(session.backend.ledger.facts(campaign))
    view, told = report.facts.status, as_json(report)
    tables = told["tables"]
    more = {"profile": told["profile"]} if profile else {}
    code = OK if report.green else NOT_ALL if view.state.final else ATTACHABLE
    if session.as_json:
        print_json(
            status_json(view) | outlook_json(view, session.now()) | {"tables": tables} | more
        )
    else:
        if profile:
            console().print(profile_table(told["profile"]))
        _print(console(), view, tables, code)
        if code != OK:
            console().print(styled(outlook_text(view, session.now()), ""), soft_wrap=True)
    return code


def _print(out: "Console", view: StatusView, tables: list[dict[str, Any]], code: int) -> None:
    needy = [t for t in view.tenants if needs_operator(t)]
    if tables:
        out.print(result_table(tables))
    if needy:
        out.print(tenant_table(needy))
    out.print(headline(view))
    out.print(styled(_words(view, code), "green" if code == OK else "red"))
    out.print(styled(f"next: {next_command(view, code)}", ""))


def _words(view: StatusView, code: int) -> str:
    took = ""
    if view.started_at and view.ended_at:
        took = f" in {duration((view.ended_at - view.started_at).total_seconds())}"
    if code == OK:
        return f"done and verified{took}: every window equals the source"
    return {
        State.DONE: f"done{took}, but not all of it is verified",
        State.PARKED: "parked: some of it needs you; the rest is done and published",
        State.CANCELLED: "cancelled: windows that were published stay",
        State.UNKNOWN: "a cluster could not be asked: what it holds is unknown",
    }.get(view.state, f"{view.state}: not all of it is verified")


def next_command(view: StatusView, code: int) -> str:
    """What an operator will want to type now."""
    if code == OK:
        return f"windlass report {view.campaign}"
    if view.state is State.DONE:
        return f"windlass report {view.campaign} shows which tables do not agree, and why"
    if view.state is State.CANCELLED:
        return "run the same command again: what is verified is not done twice"
    return f"windlass status {view.campaign} --needs-me"
