"""Counts and fingerprints of live and staged rows, computed by the server."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from windlass.domain.chunks import chunked
from windlass.domain.dataset import Slice
from windlass.domain.results import Digest
from windlass.domain.schema import ColumnPair, TargetTable
from windlass.domain.window import Interval, edges_of
from windlass.target.client import LOOKING, NOTHING_MORE, Server, fill
from windlass.target.names import literal, live_ref, quote
from windlass.target.partitions import keeps_keys
from windlass.target.settings import LONG_STATEMENT, PRUNED
from windlass.target.slices import View
from windlass.target.times import EPOCH, time_type, within
from windlass.verify.buckets import KeyBucket, key_pairs, target_bucket
from windlass.verify.canonical import (
    Column,
    fast_digest,
    target_digest,
    target_hash,
    target_row,
    target_values,
)
from windlass.verify.canonical import fill as fill_template

if TYPE_CHECKING:
    import pyarrow as pa

_STEPS_AT_ONCE = 400

_COUNTS = """
SELECT roundDown(__micros, [$edges]) AS __edge, $aggregates
FROM (SELECT *, $micros AS __micros FROM $table $final WHERE $inside)
GROUP BY __edge
"""
_BY_KEY = """
SELECT $bucket AS __bucket, $aggregates
FROM (SELECT * FROM $table $final WHERE $inside) GROUP BY __bucket
"""
_ROWS_BY_HASH = """
SELECT $texts, $hash AS hash FROM (SELECT * FROM $table $final WHERE $inside) AS k WHERE $only
"""
_TEXTS = """
SELECT $texts FROM (SELECT * FROM $table $final WHERE $inside) AS k WHERE $only
"""
_KEYS_AT_ONCE = 5_000


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
    return _summed(_per_segment(server, live, piece.table.target_time, wanted, aggregates, tag))


def fingerprints(
    server: Server,
    live: TargetTable,
    piece: Slice,
    pairs: Sequence[ColumnPair],
    steps: Sequence[Interval],
    tag: str,
) -> list[Digest]:
    """Of logical live rows per step, what `staged` is of staging."""
    aggregates = fast_digest(target_values(pairs, quote))
    return _summed(_per_segment(server, live, piece.table.target_time, steps, aggregates, tag))


def _summed(found: Sequence[Sequence[tuple[Any, ...]]]) -> list[Digest]:
    return [
        Digest(sum(int(rows) for rows, _ in one), str(sum(int(total) for _, total in one)))
        for one in found
    ]


def staged(
    server: Server, table: str, pairs: Sequence[ColumnPair], condition: str, tag: str, *, md5: bool
) -> Digest:
    """Digest of a staging table's rows under a condition."""
    items = target_digest(pairs, quote) if md5 else fast_digest(target_values(pairs, quote))
    rows, total = server.rows(f"SELECT {items} FROM {table} WHERE {condition}", tag)[0]
    return Digest(int(rows), str(total))


def digests_by_key(server: Server, view: View, of: int, tag: str = LOOKING) -> list[Digest]:
    """Count and MD5 sum of logical live rows per bucket of keys."""
    statement = fill(
        _BY_KEY,
        bucket=_bucket(view, of, quote),
        aggregates=target_digest(view.pairs, quote),
        table=view.table,
        final=view.final,
        inside=view.inside,
    )
    found = {int(row[0]): Digest(int(row[1]), str(row[2])) for row in server.rows(statement, tag)}
    return [found.get(number, Digest(0)) for number in range(of)]


def rows_by_hash(
    server: Server, view: View, tag: str = LOOKING, bucket: KeyBucket | None = None
) -> "pa.Table":
    """Key columns (canonical text) and `hash` of logical live rows, of one bucket if given."""
    only = f"{_bucket(view, bucket.of, _inner)} = {bucket.number}" if bucket else "1"
    return server.arrow(_hashed(view, only), tag)


def rows_of_keys(server: Server, view: View, keys: "pa.Table", tag: str = LOOKING) -> "pa.Table":
    """`rows_by_hash` of these keys (canonical text) alone."""
    import pyarrow as pa

    found = [
        server.arrow(_hashed(view, among), tag, settings=LONG_STATEMENT)
        for among in _among(view, keys)
    ]
    return pa.concat_tables(found)


def texts(server: Server, view: View, keys: "pa.Table", tag: str = LOOKING) -> "pa.Table":
    """Every column's canonical text, of the logical live rows with these keys."""
    import pyarrow as pa

    listed = ", ".join(
        f"{fill_template(pair.target_text, _inner(pair.name))} AS {quote(pair.name)}"
        for pair in view.pairs
    )
    shared = {"table": view.table, "final": view.final, "inside": view.inside}
    found = [
        server.arrow(fill(_TEXTS, texts=listed, only=only, **shared), tag, settings=LONG_STATEMENT)
        for only in _among(view, keys)
    ]
    return pa.concat_tables(found)


def _hashed(view: View, only: str) -> str:
    return fill(
        _ROWS_BY_HASH,
        texts=view.key_texts,
        hash=target_hash(view.pairs, _inner),
        table=view.table,
        final=view.final,
        inside=view.inside,
        only=only,
    )


def _inner(name: str) -> str:
    return f"k.{quote(name)}"


def _bucket(view: View, of: int, column: Column) -> str:
    return target_bucket(key_pairs(view.pairs, view.piece.table.key), column, of)


def _among(view: View, keys: "pa.Table") -> Iterator[str]:
    """Conditions that a row's key is one of these, in pieces that fit a statement; no keys are
    one piece that no row meets."""
    names = list(view.piece.table.key)
    row = target_row(key_pairs(view.pairs, names), _inner)
    for start in range(0, max(1, keys.num_rows), _KEYS_AT_ONCE):
        part = keys.select(names).slice(start, _KEYS_AT_ONCE)
        wanted = {"|".join(one) for one in zip(*(part[n].to_pylist() for n in names), strict=True)}
        listed = ", ".join(literal(text) for text in sorted(wanted))
        yield f"{row} IN ({listed})" if wanted else "0"


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
    pruned = PRUNED if keeps_keys(live, time) else NOTHING_MORE
    answers: list[list[tuple[Any, ...]]] = []
    for some in chunked(steps, _STEPS_AT_ONCE):
        edges = edges_of(some)
        rows = server.rows(_segments(live, time, edges, aggregates), tag, settings=pruned)
        by_edge = {int(row[0]): tuple(row[1:]) for row in rows}
        for step in some:
            inside = edges[bisect_left(edges, step.start) : bisect_left(edges, step.end)]
            members = map(_micros, inside)
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
