"""Where a campaign's time went, as a table: one line per window, then the publish groups."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from windlass.cli.show.common import Column, table
from windlass.report.profile import STAGES, per_window

if TYPE_CHECKING:
    from rich.console import RenderableType

MOST = 50
"""Windows shown; the report's JSON has all of them, table by table."""


def profile_table(found: Mapping[str, Any]) -> "RenderableType":
    """Seconds by window and group, and their sum; stages that nothing took are left out."""
    stages = [name for name in STAGES if found["total"].get(name)]
    columns = [Column("seconds"), *(Column(name, number=True) for name in stages)]
    return table(columns, _rows(found, stages))


def _rows(found: Mapping[str, Any], stages: list[str]) -> Iterator[tuple[object, ...]]:
    windows = per_window(found)
    for one in windows[:MOST]:
        yield (_short(one["window"]), *_cells(one, stages))
    if len(windows) > MOST:
        yield (f"and {len(windows) - MOST} windows more", *("" for _ in stages))
    for group in found["groups"]:
        yield (_short(group["group"]), *_cells(group, stages))
    yield ("all of it", *_cells(found["total"], stages))


def _short(identity: str) -> str:
    """Without the campaign, which is one and the same."""
    return identity.partition("/")[2] or identity


def _cells(seconds: Mapping[str, Any], stages: list[str]) -> Iterator[str]:
    return (f"{seconds[name]:.2f}" if seconds.get(name) else "-" for name in stages)
