"""Counts and fingerprints of live and staged rows, computed by the server."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from windlass.domain.dataset import Slice
from windlass.domain.results import Digest
from windlass.domain.schema import ColumnPair, TargetTable
from windlass.domain.window import Interval
from windlass.target.client import LOOKING, Server, fill
from windlass.target.names import live_ref, quote
from windlass.target.slices import View
from windlass.target.times import EPOCH, time_type, within
from windlass.verify.canonical import fast_digest, target_digest, target_hash, target_texts

if TYPE_CHECKING:
    import pyarrow as pa

_STEPS_AT_ONCE = 400

_COUNTS = """
SELECT roundDown(__micros, [$edges]) AS __edge, $aggregates
FROM (SELECT *, $micros AS __micros FROM $table $final WHERE $inside)
GROUP BY __edge
"""
_ROWS_BY_HASH = """
SELECT $texts, $hash AS hash FROM (SELECT * FROM $table $final WHERE $inside) AS k
"""


def count(
    server: Server, live: TargetTable, time: str, steps: Sequence[Interval], tag: str = LOOKING
) -> list[int]:
    """Logical live rows per step."""
    found = _per_segment(server, live, time, steps, "count()", tag)
    return [sum(int(values[0]) for values in per_step) for per_step in found]


def count_sql(live: TargetTable, piece: Slice) -> str:
    """The statement that counts the slice's logical live rows."""
    inside = within(live, piece.table.target_time, [piece.interval])
    final = f" {live.final}" if live.final else ""
    return f"SELECT count() FROM {live_ref(live)}{final} WHERE {inside}"


def digests(
    server: Server,
    live: TargetTable,
    piece: Slice,
    pairs: Sequence[ColumnPair],
    steps: Sequence[Interval],
    tag: str = LOOKING,
) -> list[Digest]:
    """Count and MD5 sum of logical live rows per step; one for the slice without steps."""
    wanted = list(steps) or [piece.interval]
    aggregates = target_digest(pairs, quote)
    found = _per_segment(server, live, piece.table.target_time, wanted, aggregates, tag)
    return [
        Digest(sum(int(rows) for rows, _ in one), str(sum(int(total) for _, total in one)))
        for one in found
    ]


def staged(
    server: Server, table: str, pairs: Sequence[ColumnPair], condition: str, tag: str, *, md5: bool
) -> Digest:
    """Digest of a staging table's rows under a condition."""
    items = target_digest(pairs, quote) if md5 else fast_digest(target_texts(pairs, quote))
    rows, total = server.rows(f"SELECT {items} FROM {table} WHERE {condition}", tag)[0]
    return Digest(int(rows), str(total))


def rows_by_hash(server: Server, view: View, tag: str = LOOKING) -> "pa.Table":
    """Key columns (canonical text) and `hash` of logical live rows."""
    statement = fill(
        _ROWS_BY_HASH,
        texts=view.key_texts,
        hash=target_hash(view.pairs, lambda name: f"k.{quote(name)}"),
        table=view.table,
        final=view.final,
        inside=view.inside,
    )
    return server.arrow(statement, tag)


def _per_segment(
    server: Server,
    live: TargetTable,
    time: str,
    steps: Sequence[Interval],
    aggregates: str,
    tag: str,
) -> list[list[tuple[Any, ...]]]:
    """The aggregates of each piece that a step is made of, in the order of the steps.

    All edges of all steps cut the time into segments; a segment's rows are looked at once.
    """
    answers: list[list[tuple[Any, ...]]] = []
    for at in range(0, len(steps), _STEPS_AT_ONCE):
        some = steps[at : at + _STEPS_AT_ONCE]
        edges = sorted({edge for step in some for edge in (step.start, step.end)})
        rows = server.rows(_segments(live, time, edges, aggregates), tag)
        by_edge = {int(row[0]): tuple(row[1:]) for row in rows}
        for step in some:
            members = [_micros(edge) for edge in edges if step.contains(edge)]
            answers.append([by_edge[edge] for edge in members if edge in by_edge])
    return answers


def _segments(live: TargetTable, time: str, edges: Sequence[datetime], aggregates: str) -> str:
    kind = time_type(live, time)
    whole = Interval(edges[0], edges[-1])
    return fill(
        _COUNTS,
        edges=", ".join(str(_micros(edge)) for edge in edges),
        micros=kind.micros(f"assumeNotNull({quote(time)})"),
        aggregates=aggregates,
        table=live_ref(live),
        final=live.final,
        inside=within(live, time, [whole]),
    )


def _micros(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1)
