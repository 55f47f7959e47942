"""Counting: always the server's own count(*), never what a reader saw."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from windlass.domain.dataset import Slice
from windlass.domain.results import SliceCount
from windlass.domain.schema import ColumnPair
from windlass.domain.window import Interval, edges_of
from windlass.source.quote import ident
from windlass.source.select import Scope, fill, kept_rows, of_tenant, ref
from windlass.source.session import Connection, rows
from windlass.source.times import TimeType, bucket, moment, within

ALONE = "SET LOCAL max_parallel_workers_per_gather = 0"
"""Where windows are counted side by side: that is share enough of the server, and workers of its
own make a count a third dearer."""
_COMPARED = 12
"""Edges up to which each is compared with."""


def count_slice(
    connection: Connection, piece: Slice, pairs: Sequence[ColumnPair], kind: TimeType
) -> SliceCount:
    """Kept and excluded rows, hazards and the highest version among kept rows, in one pass."""
    hazardous = [pair for pair in pairs if pair.hazard]
    groups = {row[0]: row[1:] for row in rows(connection, count_sql(piece, hazardous, kind))}
    kept, version, *hits = groups.pop(None, (0, None, *(0 for _ in hazardous)))
    hazards = {pair.name: hit for pair, hit in zip(hazardous, hits, strict=True) if hit}
    return SliceCount(kept, {name: one[0] for name, one in groups.items()}, hazards, version)


def count_sql(piece: Slice, hazardous: Sequence[ColumnPair], kind: TimeType) -> str:
    """Per credited exclusion (NULL: kept): rows, highest version, hazards of those pairs."""
    table = piece.table
    scope = of_tenant(piece.dataset, table, piece.tenant)
    version = f"max(t.{ident(table.version)})::text" if table.version else "NULL::text"
    hits = (f"count(*) FILTER (WHERE {fill(p.hazard, table, p.name)})" for p in hazardous)
    items = ", ".join((scope.excluded, "count(*)", version, *hits))
    return f"SELECT {items} FROM {scope.source}\nWHERE {inside(scope, piece, kind)} GROUP BY 1"


def count_steps(
    connection: Connection,
    piece: Slice,
    pairs: Sequence[ColumnPair],
    kind: TimeType,
    steps: Sequence[Interval],
    *,
    versions: bool = True,
) -> list[SliceCount]:
    """The same of kept rows alone, per step, in one pass; steps lie in the slice, beside each
    other or apart. Without `versions` the rows need not be read where an index has the time."""
    hazardous = [pair for pair in pairs if pair.hazard]
    edges = edges_of(steps)
    cells = _Cells(piece, kind, edges)
    found = {}
    for row in rows(connection, _steps_sql(piece, hazardous, kind, cells.items, versions)):
        place, counts = cells.place(row)
        found[place] = _step(hazardous, *counts)
    return [found.get(bisect_left(edges, step.start), SliceCount(0)) for step in steps]


class _Cells:
    """Between which edges a row's time lies. A few comparisons cost less than a search in an
    array; and of those, unlike of a search, PostgreSQL knows that they make few groups, so that
    its workers may share the counting."""

    def __init__(self, piece: Slice, kind: TimeType, edges: Sequence[datetime]) -> None:
        whole, time = piece.interval, ref(piece.table, piece.table.target_time)
        inner = [edge for edge in edges if whole.start < edge < whole.end]
        self._before = sum(edge <= whole.start for edge in edges) - 1
        self.items = [f"{time} >= {moment(edge, kind)}" for edge in inner]
        self._searched = len(inner) > _COMPARED
        if self._searched:
            self.items = [bucket(time, kind, edges)]

    def place(self, row: Sequence[Any]) -> tuple[int, Sequence[Any]]:
        """The number of the edge that comes right before a group's rows, and the group's counts."""
        cell, counts = row[: len(self.items)], row[len(self.items) :]
        return (cell[0] - 1 if self._searched else self._before + sum(cell)), counts


def _step(
    hazardous: Sequence[ColumnPair], kept: int, version: str | None, *hits: int
) -> SliceCount:
    hazards = {pair.name: hit for pair, hit in zip(hazardous, hits, strict=True) if hit}
    return SliceCount(kept, hazards=hazards, max_version=version)


def _steps_sql(
    piece: Slice,
    hazardous: Sequence[ColumnPair],
    kind: TimeType,
    cells: Sequence[str],
    versions: bool,
) -> str:
    table = piece.table
    scope = kept_rows(piece.dataset, table, piece.tenant)
    wanted = table.version if versions else None
    version = f"max(t.{ident(wanted)})::text" if wanted else "NULL::text"
    hits = (f"count(*) FILTER (WHERE {fill(p.hazard, table, p.name)})" for p in hazardous)
    items = ", ".join((*cells, "count(*)", version, *hits))
    where = f"{inside(scope, piece, kind)} AND ({scope.kept})"
    groups = f" GROUP BY {', '.join(str(n + 1) for n in range(len(cells)))}" if cells else ""
    return f"SELECT {items} FROM {scope.source}\nWHERE {where}{groups}"


def inside(scope: Scope, piece: Slice, kind: TimeType) -> str:
    """The condition that a row is the tenant's and its time in the interval."""
    time = ref(piece.table, piece.table.target_time)
    return f"({scope.tenant}) AND {within(time, kind, piece.interval)}"


def count_null_times(connection: Connection, piece: Slice) -> int:
    """Rows of the tenant, excluded or not, whose time is NULL."""
    scope = of_tenant(piece.dataset, piece.table, piece.tenant)
    time = ref(piece.table, piece.table.target_time)
    query = f"SELECT count(*) FROM {scope.source}\nWHERE ({scope.tenant}) AND {time} IS NULL"
    return int(rows(connection, query)[0][0])
