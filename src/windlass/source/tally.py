"""Counting for a plan: one pass over a table gives its totals, its rows by time and the counts of
earlier windows. Where a full count would take too long, a sample or the statistics have to do."""

import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import psycopg

from windlass.domain.dataset import Slice
from windlass.domain.results import SliceCount, Tally
from windlass.domain.window import Interval
from windlass.source.count import count_null_times, inside
from windlass.source.estimate import estimated, limited
from windlass.source.quote import ident
from windlass.source.select import Scope, of_tenant, ref
from windlass.source.session import BEGIN, Connection, rows, run
from windlass.source.times import TimeType, binned, bucket, utc


@dataclass(frozen=True)
class Cell:
    """Rows of one step of time between two marks, of one exclusion (None: kept). `rank` orders
    `version`, which is text."""

    excluded: str | None
    at: datetime
    segment: int
    rows: int
    version: str | None
    rank: int


@dataclass(frozen=True)
class Grid:
    """Steps from `start` on, and ranges (marks) whose edges need not lie on them."""

    interval: Interval
    step: timedelta
    marks: Sequence[Interval] = ()

    @cached_property
    def off_step(self) -> list[datetime]:
        """Edges of marks that lie inside a step, sorted."""
        edges = {edge for mark in self.marks for edge in (mark.start, mark.end)}
        return sorted(e for e in edges if (e - self.interval.start) % self.step)

    def position(self, edge: datetime) -> tuple[datetime, int]:
        """Where the rows from that instant on begin, in the order of (at, segment)."""
        beyond = bisect_left(self.off_step, edge)
        if (edge - self.interval.start) % self.step:
            return (edge - (edge - self.interval.start) % self.step, beyond + 1)
        return (edge, beyond)


def tally(
    connection: Connection, piece: Slice, kind: TimeType, grid: Grid, seconds: float
) -> Tally:
    """Count the slice within that time, else estimate it; in the open transaction."""
    began = time.monotonic()
    try:
        with limited(connection, seconds):
            cells = counted(connection, piece, kind, grid)
            without = count_null_times(connection, piece)
    except psycopg.errors.QueryCanceled:
        # Cancelled by somebody else it must not be: that ends the whole plan.
        if time.monotonic() - began < seconds:
            raise
        return estimated(connection, piece, kind, grid.step, seconds)
    return Tally(total(cells), by_step(cells), tuple(per_mark(cells, grid)), without)


def counted(connection: Connection, piece: Slice, kind: TimeType, grid: Grid) -> list[Cell]:
    """All rows of the slice as cells, in order of time."""
    scope = of_tenant(piece.dataset, piece.table, piece.tenant)
    found = rows(connection, cells_sql(piece, scope, kind, grid))
    cells = [Cell(name, utc(at), *rest) for name, at, *rest in found]
    return sorted(cells, key=lambda cell: (cell.at, cell.segment))


def cells_sql(piece: Slice, scope: Scope, kind: TimeType, grid: Grid) -> str:
    """Credited exclusion (NULL: kept), step, marks passed, rows, highest version and its rank."""
    table = piece.table
    at = ref(table, table.target_time)
    version = f"max(t.{ident(table.version)})" if table.version else "NULL"
    segment = bucket(at, kind, grid.off_step) if grid.off_step else "0"
    items = [
        f'{scope.excluded} AS "excluded"',
        f'{binned(at, kind, grid.interval.start, grid.step)} AS "at"',
        f'{segment} AS "segment"',
        'count(*) AS "rows"',
        f'{version} AS "version"',
    ]
    inner = (
        f"SELECT {', '.join(items)} FROM {scope.source}\n"
        f"WHERE {inside(scope, piece, kind)} GROUP BY 1, 2, 3"
    )
    rank = 'rank() OVER (ORDER BY "version")' if table.version else "0"
    return (
        f'SELECT "excluded", "at", "segment", "rows", "version"::text, {rank} '
        f"FROM (\n{inner}\n) AS cells"
    )


def total(cells: Sequence[Cell]) -> SliceCount:
    """Kept and excluded rows, and the highest version among the kept ones."""
    kept = [cell for cell in cells if cell.excluded is None]
    excluded: dict[str, int] = {}
    for cell in cells:
        if cell.excluded is not None:
            excluded[cell.excluded] = excluded.get(cell.excluded, 0) + cell.rows
    known = [cell for cell in kept if cell.version is not None]
    highest = max(known, key=lambda cell: cell.rank, default=None)
    version = highest.version if highest else None
    return SliceCount(sum(cell.rows for cell in kept), excluded, max_version=version)


def by_step(cells: Sequence[Cell]) -> Mapping[datetime, int]:
    """`{start of the step: kept rows}`, empty steps left out."""
    found: dict[datetime, int] = {}
    for cell in cells:
        if cell.excluded is None:
            found[cell.at] = found.get(cell.at, 0) + cell.rows
    return found


def per_mark(cells: Sequence[Cell], grid: Grid) -> Iterator[SliceCount]:
    """The count of each mark, as if it had been counted alone."""
    order = [(cell.at, cell.segment) for cell in cells]
    for mark in grid.marks:
        first = bisect_left(order, grid.position(mark.start))
        beyond = bisect_left(order, grid.position(mark.end))
        yield total(cells[first:beyond])


def tallies(
    connection: Connection,
    slices: Sequence[tuple[Slice, TimeType]],
    step: timedelta,
    marks: Sequence[Interval],
    seconds: float,
) -> list[Tally]:
    """Each slice counted, all in one transaction of which nothing is left."""
    run(connection, BEGIN)
    try:
        return [
            tally(connection, piece, kind, Grid(piece.interval, step, marks), seconds)
            for piece, kind in slices
        ]
    finally:
        # The snapshot holds back the server's cleaning up.
        if not connection.broken:
            run(connection, "ROLLBACK")
