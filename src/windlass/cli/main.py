"""`windlass`: the list of commands, and the one way in and out of the process."""

import gc
import logging
import os
import shlex
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from windlass.cli import failures
from windlass.cli.session import ConfigOption, DebugOption, Session

COMMANDS = {
    "plan": "Show what a rebuild would do, and why. Changes nothing.",
    "run": "Rebuild a range: plan, ask, start, and watch until it is verified.",
    "status": "Where campaigns, tenants and windows stand. Reads the ledger only.",
    "watch": "Follow a campaign live. Ctrl-C leaves it running.",
    "why": "One window's story: its size, cuts, pace and evidence.",
    "pause": "Begin nothing new of a campaign, or of a part of it.",
    "resume": "Go on with what was paused.",
    "cancel": "Stop a campaign, or a part of it. What is published stays.",
    "retry": "Run again what is parked.",
    "split": "Cut what is left to do into smaller windows.",
    "limit": "Fewer windows at once, or fewer rows a second, while it runs.",
    "undo": "Put back what a campaign replaced.",
    "verify": "Compare source and target row by row, with the keys that differ.",
    "affected": "Which tenants still hold rows that an exclusion should keep out.",
    "report": "The work log of a campaign: Markdown, HTML, JSON or a folder.",
    "history": "Which days were rebuilt, when, and at what rate.",
    "note": "Write a remark into a campaign's record.",
    "doctor": "Check config, ledger, Temporal, workers and both databases.",
    "grants": "Print the SQL for the database users of a cluster.",
    "schema": "Print the JSON schema of the config file.",
    "worker": "Serve a cluster's task queue: the process that does the work.",
    "dev": "The local stack: up, status, down, reset.",
    "demo": "The story of Windlass, end to end, on the local stack.",
}
"""Every command and its line in `windlass --help`; the module is `windlass.cli.<command>`."""


FEW_COLLECTIONS = 50_000
"""Objects made between two looks for garbage. A command mostly loads modules, which make none, and
looking for it took a fifth of `windlass status`."""


class LazyGroup(TyperGroup):
    """Imports a command's module when it is used: `windlass --help` imports none."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - typer's context
        """The commands of this installation, in the order of an operator's day."""
        return [name for name in COMMANDS if _installed(name)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - typer's types
        """The command, imported now; None where there is none."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = import_module(f"windlass.cli.{cmd_name}")
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - typer's types
        """The command of that name, or a usage error with the nearest one."""
        self.commands = dict.fromkeys(self.list_commands(ctx))  # type: ignore[assignment]
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - typer's types
        """The list in `--help`, from COMMANDS alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer's types
        """Run the command; Ctrl-C that no command of ours made something of ends it."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            failures.show("interrupted")
            return failures.INTERRUPTED

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> NoReturn:  # noqa: ANN401
        """Run a command line; leaves by SystemExit with the documented code."""
        extra |= {"prog_name": "windlass", "standalone_mode": False}
        extra.setdefault("obj", None)
        extra["obj"] = extra["obj"] or Session()
        session: Session = extra["obj"]
        args = list(sys.argv[1:] if args is None else args)
        session.typed = shlex.join(["windlass", *args])
        code = failures.guarded(lambda: super(LazyGroup, self).main(args, **extra), session)
        raise SystemExit(code)


def _installed(name: str) -> bool:
    return find_spec(f"windlass.cli.{name}") is not None


app = typer.Typer(
    cls=LazyGroup, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"windlass {version('windlass')}")
        raise typer.Exit


@app.callback(no_args_is_help=True)
def windlass(
    ctx: typer.Context,
    config: ConfigOption = None,
    debug: DebugOption = False,
    _: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Rebuild date ranges of tenant data in ClickHouse from PostgreSQL, exactly.

    Exit codes: 0 done and verified; 1 finished, but something failed or mismatched; 2 wrong
    usage or config; 3 detached or still running; 4 refused; 130 interrupted (the campaign goes
    on).

    \b
    Example:
      windlass plan voice-prod acme 2026-01-01 2026-02-20
    """
    ctx.obj.configure(config, debug)


def entry() -> NoReturn:
    """The console script."""
    gc.set_threshold(FEW_COLLECTIONS)
    try:
        app()
    except SystemExit as leaving:
        _leave(leaving.code if isinstance(leaving.code, int) else 0)
    raise AssertionError("LazyGroup.main always leaves by SystemExit")


def _leave(code: int) -> NoReturn:
    """At once: temporalio's threads may abort the interpreter while it shuts down, and an exit
    code of 134 would be a lie; and shutting down takes longer than many a command."""
    code = _flushed(code)
    logging.shutdown()
    os._exit(code)


def _flushed(code: int) -> int:
    """The exit code after both streams are written out; a reader that has gone is no failure."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code
