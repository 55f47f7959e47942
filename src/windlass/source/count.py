"""Counting: always the server's own count(*), never what a reader saw."""

from collections.abc import Sequence

from windlass.domain.dataset import Slice
from windlass.domain.results import SliceCount
from windlass.domain.schema import ColumnPair
from windlass.source.quote import ident
from windlass.source.select import Scope, fill, of_tenant, ref
from windlass.source.session import Connection, rows
from windlass.source.times import TimeType, within


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
