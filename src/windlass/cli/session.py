"""What one command line shares: its options, and the way to everything behind it."""

import getpass
import logging
import os
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from windlass.cli.backend import Backend

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", metavar="FILE", help="Config file; else WINDLASS_CONFIG, windlass.yaml."
    ),
]
DebugOption = Annotated[bool, typer.Option("--debug", help="Log in detail; show tracebacks.")]


class Output(StrEnum):
    """What a command prints to stdout."""

    TABLE = "table"
    JSON = "json"


OutputOption = Annotated[
    Output, typer.Option("--output", "-o", help="A table to read, or JSON to process.")
]


def _wired(config: Path | None) -> "Backend":
    from windlass.cli.backend import Wired

    return Wired(config)


def _whoami() -> str:
    """user@host, for the record."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user id without a name
        user = f"uid{os.getuid()}"
    return f"{user}@{socket.gethostname()}"


@dataclass
class Session:
    """One command line. `open` builds the backend; tests hand in another, and their own time.

    `typed` is the command line as typed; `wait` sleeps between two looks at the ledger.
    """

    open: Callable[[Path | None], "Backend"] = _wired
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    wait: Callable[[float], None] = time.sleep
    interactive: Callable[[], bool] = lambda: sys.stdin.isatty() and sys.stderr.isatty()
    confirm: Callable[[str], bool] = lambda question: typer.confirm(question, err=True)
    who: Callable[[], str] = _whoami
    typed: str = "windlass"
    config: Path | None = None
    debug: bool = False
    output: Output = Output.TABLE
    _backend: "Backend | None" = field(default=None, repr=False)

    def configure(self, config: Path | None, debug: bool) -> None:
        """Take in what stands before or after the command's name."""
        self.config = config or self.config
        if debug and not self.debug:
            self.debug = True
            logging.basicConfig(
                level=logging.DEBUG,
                stream=sys.stderr,
                format="%(asctime)s %(levelname)s %(name)s: %(message)s",
            )

    @property
    def backend(self) -> "Backend":
        """Fleet, ledger and clusters; opened when first asked for."""
        if self._backend is None:
            self._backend = self.open(self.config)
        return self._backend

    def say(self, text: str) -> None:
        """A line of progress, to stderr."""
        typer.echo(text, err=True)

    @property
    def as_json(self) -> bool:
        """Whether stdout carries JSON and nothing else."""
        return self.output is Output.JSON
