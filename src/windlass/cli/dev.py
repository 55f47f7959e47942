"""`windlass dev`: the local stack, up, looked at, down, and gone."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from windlass.cli.command import command
from windlass.cli.session import Session
from windlass.domain.errors import RefusedError

if TYPE_CHECKING:
    from windlass.localstack.stack import LocalStack, StackStatus

Directory = Annotated[
    Path, typer.Option("--dir", metavar="DIR", help="Where the stack keeps its data and logs.")
]
_DEFAULT = Path(".windlass")
_LOOK_SECONDS = 1.0

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="The local stack: PostgreSQL, ClickHouse, Temporal and workers, on this machine.\n\n"
    "\b\nExample:\n  windlass dev up",
)


@command("windlass dev up", "windlass dev up --workers 2 --foreground")
def up(
    session: Session,
    directory: Directory = _DEFAULT,
    workers: Annotated[
        int, typer.Option(min=0, metavar="N", help="Workers that run afterwards.")
    ] = 1,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay attached; Ctrl-C takes everything down.")
    ] = False,
) -> int:
    """Start the local stack, or what is missing of it, and return when it is ready.

    Data, ports and the config file DIR/windlass.yaml stay the same from one time to the next.
    """
    stack = _stack(session, directory)
    stack.up(workers)
    code = _show(session, stack.status())
    return _attend(session, stack) if foreground else code


@command("windlass dev status -o json")
def status(session: Session, directory: Directory = _DEFAULT) -> int:
    """Show each part of the local stack. Exits 1 when one has died."""
    return _show(session, _stack(session, directory).status())


@command("windlass dev down", prints=False)
def down(session: Session, directory: Directory = _DEFAULT) -> int:
    """Stop workers and servers. All data stays."""
    _stack(session, directory).down()
    session.say("the local stack is down; its data stays")
    return 0


@command("windlass dev reset --yes", prints=False)
def reset(
    session: Session,
    directory: Directory = _DEFAULT,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> int:
    """Stop everything and delete its data: databases, ledger, logs and config."""
    stack = _stack(session, directory)
    if not yes:
        _ask(session, stack.directory)
    stack.reset()
    session.say(f"{stack.directory} is empty")
    return 0


for _one in (up, status, down, reset):
    app.registered_commands += _one.registered_commands


def _stack(session: Session, directory: Path) -> "LocalStack":
    from windlass.localstack.stack import LocalStack

    return LocalStack(directory, progress=session.say)


def _ask(session: Session, directory: Path) -> None:
    if not session.interactive():
        raise RefusedError(
            "this deletes databases and ledger, and nobody can be asked here",
            where=str(directory),
            next_step="windlass dev reset --yes",
        )
    if not session.confirm(f"Delete all data of the local stack in {directory}?"):
        raise typer.Abort


def _show(session: Session, found: "StackStatus") -> int:
    from windlass.cli.show import common

    if session.as_json:
        common.print_json(as_json(found))
    else:
        _print_table(session, found)
    return 1 if found.dead else 0


def as_json(found: "StackStatus") -> dict[str, Any]:
    """The documented keys; addresses are null before the first `up`."""
    names = ("postgres", "clickhouse", "temporal", "temporal_ui", "config")
    addresses = asdict(found.endpoints) if found.endpoints else dict.fromkeys(names)
    keys = ("name", "state", "pid", "port", "log")
    parts = [{key: getattr(part, key) for key in keys} for part in found.parts]
    return {**addresses, "ready": found.ready, "parts": parts}


def _print_table(session: Session, found: "StackStatus") -> None:
    from windlass.cli.show import common

    if found.endpoints is None:
        session.say("no stack here yet: `windlass dev up` makes one")
        return
    columns = [common.Column(title) for title in ("part", "state", "pid", "port", "log")]
    rows = [[p.name, p.state, p.pid or "-", p.port or "-", p.log] for p in found.parts]
    console = common.console()
    console.print(common.table(columns, rows))
    for name, value in asdict(found.endpoints).items():
        console.print(f"{name:12} {value}", markup=False, soft_wrap=True)
    for part in found.dead:
        session.say(f"\n{part.name} has died. The end of {part.log}:\n{part.detail}")


def _attend(session: Session, stack: "LocalStack") -> int:
    """Stay until Ctrl-C or SIGTERM, telling what changes; then take everything down."""
    session.say("attached: Ctrl-C takes everything down")
    known: dict[str, str] = {}
    died = False
    with _interruption() as asked:
        while not asked.wait(_LOOK_SECONDS if known else 0):
            for part in stack.status(ask=False).parts:
                if known.get(part.name, "running") != part.state:
                    session.say(f"{part.name} is {part.state}. Its log: {part.log}")
                    died = died or part.state == "dead"
                known[part.name] = part.state
        stack.down()
    return 1 if died else 0


@contextmanager
def _interruption() -> Iterator[threading.Event]:
    """Set when the operator, or the system, wants an end."""
    asked = threading.Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        asked.set()

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
