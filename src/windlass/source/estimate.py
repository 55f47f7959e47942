"""How many rows there may be, where counting them would take too long: out of a sample of the
table's pages, or, where there are none to sample, out of PostgreSQL's own statistics."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta

import psycopg

from windlass.domain.dataset import Slice
from windlass.domain.results import Evidence, SliceCount, Tally
from windlass.domain.window import Interval
from windlass.source.count import inside
from windlass.source.judge import is_query
from windlass.source.quote import literal
from windlass.source.relation import relation_sql
from windlass.source.select import Scope, kept_rows, of_tenant, ref
from windlass.source.session import Connection, rows, run
from windlass.source.times import TimeType, binned, utc

PAGES = 4_000
"""Pages that a sample reads: 32 MB, some hundred thousand rows."""
PIECES = 48
"""Pieces of the range that PostgreSQL's statistics are asked about, one by one."""

_SIZE = """
SELECT coalesce((SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree(c.oid) WHERE isleaf),
                pg_relation_size(c.oid))::bigint / current_setting('block_size')::int
FROM pg_class AS c WHERE c.oid = {name}::regclass AND c.relkind IN ('r', 'm', 'p')
"""


@contextmanager
def limited(connection: Connection, seconds: float) -> Iterator[None]:
    """No statement in here takes longer; the transaction outlives one that would have."""
    run(connection, "SAVEPOINT before")
    run(connection, f"SET LOCAL statement_timeout = {max(1, int(seconds * 1000))}")
    try:
        yield
    except psycopg.errors.QueryCanceled:
        run(connection, "ROLLBACK TO SAVEPOINT before")
        raise
    run(connection, "RELEASE SAVEPOINT before")


def estimated(
    connection: Connection,
    piece: Slice,
    kind: TimeType,
    step: timedelta,
    seconds: float,
    pages: int = PAGES,
) -> Tally:
    """Rows of the slice by step, out of so many pages. Never none: what nobody counted may be
    there."""
    has = _pages(connection, piece)
    if has > pages:
        with suppress(psycopg.errors.QueryCanceled), limited(connection, seconds):
            return _sampled(connection, piece, kind, step, pages / has)
    return _from_statistics(connection, piece, kind, step)


def _pages(connection: Connection, piece: Slice) -> int:
    """The table's pages; 0 of a SELECT or a view."""
    if is_query(piece.table.relation):
        return 0
    name = literal(relation_sql(piece.table.relation))
    found = rows(connection, _SIZE.format(name=name))
    return int(found[0][0]) if found else 0


def _sampled(
    connection: Connection, piece: Slice, kind: TimeType, step: timedelta, share: float
) -> Tally:
    scope = _some_of(of_tenant(piece.dataset, piece.table, piece.tenant), piece, share)
    at = binned(ref(piece.table, piece.table.target_time), kind, piece.interval.start, step)
    found = rows(
        connection,
        f"SELECT {scope.excluded}, {at}, count(*) FROM {scope.source}\n"
        f"WHERE {inside(scope, piece, kind)} GROUP BY 1, 2",
    )
    steps: dict[datetime, int] = defaultdict(int)
    excluded: dict[str, int] = defaultdict(int)
    for name, start, number in found:
        if name is None:
            steps[utc(start)] += round(number / share)
        else:
            excluded[name] += round(number / share)
    seen = sum(number for *_, number in found)
    note = f"out of {seen:,} rows in a sample of {share:.2%} of its pages"
    count = SliceCount(max(1, sum(steps.values())), dict(excluded))
    return Tally(count, dict(steps), evidence=Evidence.SAMPLED, note=note)


def _some_of(scope: Scope, piece: Slice, share: float) -> Scope:
    """The same rows, as far as they lie in the sampled pages of the table itself."""
    whole = f"{relation_sql(piece.table.relation)} AS t"
    some = f"{whole} TABLESAMPLE SYSTEM ({share * 100:.6f}) REPEATABLE (1)"
    return replace(scope, source=scope.source.replace(whole, some, 1))


def _from_statistics(
    connection: Connection, piece: Slice, kind: TimeType, step: timedelta
) -> Tally:
    steps: dict[datetime, int] = {}
    for part, starts in _pieces(piece.interval, step):
        guess = _guess(connection, replace(piece, interval=part), kind)
        steps |= dict.fromkeys(starts, guess // len(starts))
    count = SliceCount(max(1, sum(steps.values())))
    note = "out of PostgreSQL's statistics"
    return Tally(count, steps, evidence=Evidence.STATISTICS, note=note)


def _pieces(whole: Interval, step: timedelta) -> Iterator[tuple[Interval, list[datetime]]]:
    """Some pieces of the range, each with the steps in it."""
    starts = [whole.start + n * step for n in range(-(-whole.duration // step))]
    some = -(-len(starts) // PIECES)
    for first in range(0, len(starts), some):
        inside_it = starts[first : first + some]
        yield Interval(inside_it[0], min(inside_it[-1] + step, whole.end)), inside_it


def _guess(connection: Connection, piece: Slice, kind: TimeType) -> int:
    """Kept rows, as the server's planner expects them."""
    scope = kept_rows(piece.dataset, piece.table, piece.tenant)
    where = f"{inside(scope, piece, kind)} AND ({scope.kept})"
    query = f"EXPLAIN (FORMAT JSON) SELECT 1 FROM {scope.source}\nWHERE {where}"
    return int(rows(connection, query)[0][0][0]["Plan"]["Plan Rows"])
