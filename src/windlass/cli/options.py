"""Options that several commands share, and the questions behind them."""

from pathlib import Path
from typing import Annotated

import typer

from windlass.cli.session import Session
from windlass.domain.errors import RefusedError

ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the record.")]
ExpectOption = Annotated[
    list[str] | None,
    typer.Option(
        "--expect-removed", metavar="T=N", help="Rows of a table that may go; may be repeated."
    ),
]
AcceptOption = Annotated[bool, typer.Option("--accept-removal", help="Let any number of rows go.")]
ConfirmOption = Annotated[
    str | None,
    typer.Option("--confirm", metavar="NAME:ROWS", help="What --mode delete wants to hear."),
]
FileOption = Annotated[
    Path | None,
    typer.Option("--file", "-f", metavar="FILE", help="A campaign file, in place of arguments."),
]
PlanOption = Annotated[
    Path | None,
    typer.Option("--plan", metavar="FILE", help="A saved plan, in place of the arguments."),
]
NameOption = Annotated[str | None, typer.Option("--name", metavar="N", help="The campaign's name.")]
DetachOption = Annotated[
    bool, typer.Option("--detach", help="Start, and leave at once (exit code 3).")
]
SupersedesOption = Annotated[
    str | None, typer.Option("--supersedes", metavar="CAMPAIGN", help="Cancel that one first.")
]
ProfileOption = Annotated[
    bool, typer.Option("--profile", help="At the end, tell where the time went.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def agreed(session: Session, question: str, yes: bool) -> None:
    """Ask on a terminal. RefusedError (exit 4) for a no, and where nobody can be asked."""
    if yes:
        return
    if not session.interactive():
        raise RefusedError(
            "this wants a yes, and there is no terminal to ask on",
            why=question,
            next_step="add --yes",
        )
    if not session.confirm(question):
        raise RefusedError("not confirmed: nothing was changed")
