"""What became of every table: rows before, removed, loaded, after, and why they went."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from windlass.cli.show.common import Column, count, signed, table
from windlass.cli.show.status_table import verdict_text

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text


def result_table(tables: Iterable[Mapping[str, Any]]) -> "RenderableType":
    """One line per table, from the report's own figures."""
    columns = [
        Column("table"),
        Column("before", number=True),
        Column("removed", number=True),
        Column("loaded", number=True),
        Column("after", number=True),
        Column("delta", number=True),
        Column("attributed to"),
        Column("unexplained", number=True),
        Column("verdict"),
    ]
    return table(columns, (_row(one) for one in tables))


def _row(one: Mapping[str, Any]) -> tuple[object, ...]:
    return (
        f"{one['database']}.{one['table']}",
        count(one["before"]),
        count(one["removed"]),
        count(one["loaded"]),
        count(one["after"]),
        signed(one["delta"]),
        _attributed(one["attributed"]),
        _unexplained(one["unexplained"]),
        one["note"] or verdict_text(one["verdict"]),
    )


def _attributed(names: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {rows:,}" for name, rows in names.items() if rows) or "-"


def _unexplained(rows: int) -> "Text":
    from rich.text import Text

    return Text(count(rows), style="red" if rows else "")
