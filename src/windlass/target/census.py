"""Counting live rows for a plan: many small tables in one statement, a large one in its own."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from windlass.domain.dataset import Slice
from windlass.domain.schema import TargetTable
from windlass.ports import Ask, Census
from windlass.target.client import Server, fill
from windlass.target.names import literal, live_ref, quote
from windlass.target.settings import LONG_STATEMENT
from windlass.target.times import EPOCH, time_type, within

ROWS = 5_000_000
"""Rows of the tables that one statement may read together."""
TABLES = 40
EDGES = 4_000
"""Tables, and edges of marks, of one statement."""

_ONE = """
SELECT $number AS __n, toInt64(roundDown(__micros, [$edges])) AS __edge, count() AS __rows,
       countIf(__foreign) AS __foreign_rows
FROM (
  SELECT $micros AS __micros, $foreign AS __foreign FROM $table $final WHERE $inside
) GROUP BY __edge
"""
_SIZES = """
SELECT database, table, sum(rows) FROM system.parts
WHERE active AND database IN {databases:Array(String)} AND table IN {tables:Array(String)}
GROUP BY database, table
"""


def census(server: Server, asks: Sequence[Ask], tag: str) -> list[Census]:
    """The counts of each table."""
    found: list[Census] = []
    for batch in _batches(asks, _sizes(server, asks)):
        found += _counted(server, batch, tag)
    return found


def _sizes(server: Server, asks: Sequence[Ask]) -> Mapping[tuple[str, str], int]:
    databases = sorted({ask.live.database for ask in asks})
    tables = sorted({ask.live.name for ask in asks})
    rows = server.rows(_SIZES, params={"databases": databases, "tables": tables})
    return {(database, table): int(number) for database, table, number in rows}


def _batches(asks: Sequence[Ask], sizes: Mapping[tuple[str, str], int]) -> Iterator[Sequence[Ask]]:
    batch: list[Ask] = []
    rows = edges = 0
    for ask in asks:
        more = sizes.get((ask.live.database, ask.live.name), 0)
        full = len(batch) == TABLES or rows + more > ROWS or edges + len(ask.edges) > EDGES
        if batch and full:
            yield batch
            batch, rows, edges = [], 0, 0
        batch.append(ask)
        rows, edges = rows + more, edges + len(ask.edges)
    if batch:
        yield batch


def _counted(server: Server, asks: Sequence[Ask], tag: str) -> list[Census]:
    statement = " UNION ALL ".join(_sql(number, ask) for number, ask in enumerate(asks))
    found: list[dict[int, tuple[int, int]]] = [{} for _ in asks]
    for number, edge, rows, foreign in server.rows(statement, tag, settings=LONG_STATEMENT):
        found[int(number)][int(edge)] = (int(rows), int(foreign))
    return [_summed(ask, by_edge) for ask, by_edge in zip(asks, found, strict=True)]


def _sql(number: int, ask: Ask) -> str:
    time = ask.piece.table.target_time
    return fill(
        _ONE,
        number=number,
        edges=", ".join(str(_micros(edge)) for edge in ask.edges),
        micros=time_type(ask.live, time).micros(f"assumeNotNull({quote(time)})"),
        foreign=_foreign(ask.live, ask.piece),
        table=live_ref(ask.live),
        final=ask.live.final,
        inside=within(ask.live, time, [ask.piece.interval]),
    )


def _summed(ask: Ask, by_edge: Mapping[int, tuple[int, int]]) -> Census:
    """Rows per range, out of the rows between neighbouring edges."""
    running, sums = 0, {}
    for edge in ask.edges:
        sums[edge] = running
        running += by_edge.get(_micros(edge), (0, 0))[0]
    counts = [sums[one.end] - sums[one.start] for one in ask.ranges]
    return counts, sum(foreign for _, foreign in by_edge.values())


def _foreign(live: TargetTable, piece: Slice) -> str:
    """The condition that a row is another tenant's; `0` without tenant columns."""
    columns = piece.dataset.root(piece.table).tenant
    owners = {columns.customer: piece.tenant.customer} if columns else {}
    if columns and columns.profile:
        owners[columns.profile] = piece.tenant.profile
    foreign = [
        f"ifNull(toString({quote(name)}), '') != {literal(owner)}"
        for name, owner in owners.items()
        if live.column(name)
    ]
    return f"({' OR '.join(foreign)})" if foreign else "0"


def _micros(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1)
