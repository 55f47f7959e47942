"""`windlass doctor`: is everything there that a campaign needs?"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from windlass.cli import checks, cleaning, places
from windlass.cli.command import command
from windlass.cli.options import YesOption
from windlass.cli.request import listed
from windlass.cli.session import Session
from windlass.cli.show.common import Column, console, print_json, styled, table
from windlass.domain.errors import WindlassError

STYLES = {"ok": "green", "warn": "yellow", "fail": "red"}


@dataclass(frozen=True)
class Line:
    """One finding; `cluster` '' is about all of them."""

    level: str
    cluster: str
    what: str
    next_step: str = ""


@command(
    "windlass doctor",
    "windlass doctor --cluster voice-prod -o json",
    "windlass doctor --notify",
    "windlass doctor --clean",
)
def app(
    session: Session,
    cluster: Annotated[
        str, typer.Option("--cluster", metavar="C", help="Clusters to check: names, globs, or all.")
    ] = "all",
    clean: Annotated[
        bool, typer.Option("--clean", help="Remove what dead attempts left; asks before.")
    ] = False,
    notify: Annotated[
        bool, typer.Option("--notify", help="Send a message to every place of notify.")
    ] = False,
    yes: YesOption = False,
) -> int:
    """Check config, ledger, Temporal, workers, both databases, and where messages go.

    Each finding says what to do about it. Drops what was kept for undo longer than undo_retention,
    and else changes nothing without --clean, which lists what dead attempts left in the staging
    database, asks, and removes it: only tables with Windlass's mark, none of a live campaign.
    --notify sends a message to each place that the fleet file names, from this machine.
    Exit codes: 0 nothing fails (warnings are fine); 1 something does; 4 not confirmed.
    """
    if clean:
        clusters = session.backend.fleet.select(listed(cluster, "--cluster"))
        return cleaning.clean(session, clusters, yes)
    found = list(_examine(session, cluster, notify))
    healthy = not any(line.level == "fail" for line in found)
    if session.as_json:
        print_json({"ok": healthy, "findings": [asdict(line) for line in found]})
        return 0 if healthy else 1
    out = console()
    columns = [Column(""), Column("cluster"), Column("what")]
    rows = ((styled(one.level, STYLES[one.level]), one.cluster or "-", _told(one)) for one in found)
    out.print(table(columns, rows))
    return 0 if healthy else 1


def _told(line: Line) -> str:
    """The next step on a line of its own: a column beside it would cut commands in two."""
    return f"{line.what}\nnext: {line.next_step}" if line.next_step else line.what


def _examine(session: Session, cluster: str, notify: bool) -> Iterator[Line]:
    """From the inside out; what cannot be reached ends its branch."""
    try:
        fleet = session.backend.fleet
    except WindlassError as error:
        yield _failure("", f"config: {error.where}: {error.what}", error)
        return
    yield Line("ok", "", f"config: {fleet.path}")
    yield _ledger(session)
    for level, what, step in places.findings(fleet, session.who(), send=notify):
        yield Line(level, "", what, step)
    for name in fleet.select(listed(cluster, "--cluster")):
        yield from _cluster(session, name)
        yield from (Line(*one) for one in checks.findings(session, name))


def _ledger(session: Session) -> Line:
    try:
        return Line("ok", "", f"ledger: answers, id {session.backend.ledger.ledger_id()}")
    except WindlassError as error:
        return _failure("", f"ledger: {error.what}", error)


def _cluster(session: Session, name: str) -> Iterator[Line]:
    try:
        reached = session.backend.reach(name)
        yield from (Line(level, name, what, next_step) for level, what, next_step in reached)
        if any(level == "fail" for level, _, _ in reached):
            return
        found = session.backend.doctor(name, session.say)
    except WindlassError as error:
        yield _failure(name, error.what, error)
        return
    for one in found:
        yield Line(one.level, name, one.what, one.next_step)


def _failure(cluster: str, what: str, error: WindlassError) -> Line:
    return Line("fail", cluster, f"{what}{f': {error.why}' if error.why else ''}", error.next_step)
