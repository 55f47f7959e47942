"""Counting: always the server's own count(*), never what a reader saw."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from windlass.domain.dataset import Slice
from windlass.domain.results import Bucket, SliceCount
from windlass.domain.schema import ColumnPair
from windlass.domain.window import Interval
from windlass.source.quote import ident
from windlass.source.select import Scope, fill, kept_rows, of_tenant, ref
from windlass.source.session import Connection, rows
from windlass.source.times import TimeType, binned, within


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


def histogram(
    connection: Connection, slices: Sequence[tuple[Slice, TimeType]], step: timedelta
) -> list[Bucket]:
    """Kept rows per step, one query a table, empty steps left out."""
    found: dict[datetime, dict[str, int]] = defaultdict(dict)
    for piece, kind in slices:
        for start, number in rows(connection, _histogram_sql(piece, kind, step)):
            found[_utc(start)][piece.table.name] = number
    return list(_buckets(found, slices[0][0].interval if slices else None, step))


def _histogram_sql(piece: Slice, kind: TimeType, step: timedelta) -> str:
    scope = kept_rows(piece.dataset, piece.table, piece.tenant)
    time = ref(piece.table, piece.table.target_time)
    bin_ = binned(time, kind, piece.interval.start, step)
    where = f"{inside(scope, piece, kind)} AND ({scope.kept})"
    return f"SELECT {bin_}, count(*) FROM {scope.source}\nWHERE {where} GROUP BY 1"


def _buckets(
    found: dict[datetime, dict[str, int]], interval: Interval | None, step: timedelta
) -> Iterator[Bucket]:
    for start in sorted(found):
        assert interval is not None
        yield Bucket(Interval(start, min(start + step, interval.end)), found[start])


def _utc(moment: Any) -> datetime:  # noqa: ANN401 - what the driver gives for both types
    assert isinstance(moment, datetime)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
