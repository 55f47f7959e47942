"""Numbers, times and tables, written the same way everywhere."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from windlass.domain import words
from windlass.domain.window import Interval

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

PIPE_WIDTH = 200
"""Columns of output that no terminal limits."""


@dataclass(frozen=True)
class Column:
    """A table's column. Numbers stand right and are never cut; texts fold where the terminal is
    narrow, so that nothing gets lost."""

    title: str
    number: bool = False


def iso(instant: datetime | None) -> str | None:
    """RFC 3339 in UTC, as every JSON output writes it."""
    return (
        None if instant is None else f"{instant.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"
    )


def clock(instant: datetime) -> str:
    """`2026-01-31 06:00`, down to the precision that is needed, in UTC."""
    utc = instant.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(" ", "auto" if utc.second or utc.microsecond else "minutes")


def half_open(interval: Interval) -> str:
    """`[2026-01-01 00:00, 2026-02-20 00:00) UTC`."""
    return f"[{clock(interval.start)}, {clock(interval.end)}) UTC"


def duration(seconds: float | None) -> str:
    """`45 s`, `27 min`, `2 h 05 min`, `3 d 04 h`; `unknown` for None."""
    return "unknown" if seconds is None else words.duration(seconds)


def count(number: float | None) -> str:
    """`298,791`; `-` for None."""
    return "-" if number is None else f"{round(number):,}"


def signed(number: int) -> str:
    """`+12`, `-31,503`, `0`."""
    return f"{number:+,}" if number else "0"


def plural(number: int, word: str) -> str:
    """`1 window`, `3 windows`."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def print_json(value: Any) -> None:  # noqa: ANN401 - any JSON-able value
    """Print to stdout, alone."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def console(err: bool = False) -> "Console":
    """A console on stdout or stderr; wide and without colour where nobody looks."""
    from rich.console import Console

    stream = sys.stderr if err else sys.stdout
    limited = stream.isatty() or "COLUMNS" in os.environ
    return Console(file=stream, width=None if limited else PIPE_WIDTH, highlight=False)


def table(columns: Sequence[Column], rows: Iterable[Sequence[object]], title: str = "") -> "Table":
    """A plain table. Cells are texts (never markup) or rich texts."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    for one in columns:
        made.add_column(
            one.title,
            justify="right" if one.number else "left",
            no_wrap=one.number,
            overflow="fold",
        )
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    return made


def styled(text: str, style: str) -> "Text":
    """A text in a style, with no markup read out of it."""
    from rich.text import Text

    return Text(text, style=style)
