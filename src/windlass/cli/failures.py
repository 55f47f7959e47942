"""How a command line ends when something goes wrong: one message, one exit code."""

import os
import sys
import traceback
from collections.abc import Callable, Iterator

import typer

from windlass.cli.session import Session
from windlass.domain.errors import WindlassError

INTERRUPTED = 130


def guarded(run: Callable[[], object], session: Session) -> int:
    """Run it and turn its end into an exit code; every error is printed once, to stderr."""
    try:
        code = run()
    except WindlassError as error:
        return _failed(error, session)
    except typer.Abort:
        show("aborted: nothing was started")
        return INTERRUPTED
    except typer.TyperException as error:
        return _misused(error)
    except Exception as error:  # the boundary: an operator gets a line, not a traceback
        return _broken(error, session)
    return code if isinstance(code, int) else 0


def _failed(error: WindlassError, session: Session) -> int:
    if session.debug:
        traceback.print_exception(error, file=sys.stderr)
    show(error.what, where=error.where, why=error.why, next_step=error.next_step)
    return error.exit_code


def _misused(error: typer.TyperException) -> int:
    """typer's own errors: an unknown command or option, a missing or impossible value."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(error.message, err=True)
        return 2
    near = getattr(error, "possibilities", None)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    path = context.command_path if context else "windlass"
    what = error.message if near else error.format_message()
    show(what.rstrip("."), next_step=f"{hint}{path} --help shows what it takes")
    return error.exit_code


def _broken(error: Exception, session: Session) -> int:
    if session.debug:
        traceback.print_exception(error, file=sys.stderr)
    said = ": ".join([type(error).__name__, *str(error).splitlines()[:1]])
    show(
        f"internal error: {said}",
        next_step="run again with --debug for the traceback, and report it",
    )
    return 1


def show(what: str, *, where: str = "", why: str = "", next_step: str = "") -> None:
    """Print an error to stderr: what, where, why, and what to type next."""
    lines = [f"{_paint('error:', '31;1')} {what}", *_details(where, why, next_step)]
    typer.echo("\n".join(lines), err=True)


def _details(where: str, why: str, next_step: str) -> Iterator[str]:
    for label, text in (("where", where), ("why", why), ("next", next_step)):
        if text:
            yield f"  {_paint(label + ':', '2'):6} {text}"


def _paint(text: str, code: str) -> str:
    coloured = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    return f"\x1b[{code}m{text}\x1b[0m" if coloured else text
