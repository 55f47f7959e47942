"""Digests that PostgreSQL computes itself: the only check that does not share the driver."""

from bisect import bisect
from collections.abc import Sequence

from windlass.domain.dataset import Slice
from windlass.domain.results import Digest
from windlass.domain.schema import ColumnPair
from windlass.domain.window import Interval, edges_of
from windlass.source.count import inside
from windlass.source.quote import ident, literal
from windlass.source.select import fill, kept_rows, of_tenant, ref
from windlass.source.session import Connection, rows
from windlass.source.times import TimeType, bucket
from windlass.verify.buckets import KeyBucket, key_pairs, source_bucket
from windlass.verify.canonical import source_digest, source_hash


def digests(
    connection: Connection,
    piece: Slice,
    pairs: Sequence[ColumnPair],
    kind: TimeType,
    steps: Sequence[Interval],
) -> list[Digest]:
    """One digest of kept rows per step (any order, overlaps allowed), in one pass; only rows of
    the slice count."""
    wanted = list(steps) or [piece.interval]
    edges = edges_of(wanted)
    where = (
        f"SELECT {bucket(_time(piece), kind, edges)}, {_digest_sql(piece, pairs, kind)} GROUP BY 1"
    )
    cells = {cell: Digest(number, total) for cell, number, total in rows(connection, where)}
    # Cell n lies between edges n-1 and n.
    return [_sum(cells, bisect(edges, s.start), bisect(edges, s.end)) for s in wanted]


def digests_by_key(
    connection: Connection, piece: Slice, pairs: Sequence[ColumnPair], kind: TimeType, of: int
) -> list[Digest]:
    """One digest of kept rows per bucket of keys."""
    query = f"SELECT {_bucket(piece, pairs, of)}, {_digest_sql(piece, pairs, kind)} GROUP BY 1"
    found = {cell: Digest(number, total) for cell, number, total in rows(connection, query)}
    return [found.get(number, Digest(0)) for number in range(of)]


def _bucket(piece: Slice, pairs: Sequence[ColumnPair], of: int) -> str:
    keys = key_pairs(pairs, piece.table.key)
    return source_bucket(keys, lambda name: ref(piece.table, name), of)


def _sum(cells: dict[int, Digest], first: int, beyond: int) -> Digest:
    held = [cells[cell] for cell in range(first, beyond) if cell in cells]
    return Digest(sum(one.rows for one in held), str(sum(int(one.sum) for one in held)))


def _digest_sql(piece: Slice, pairs: Sequence[ColumnPair], kind: TimeType) -> str:
    scope = kept_rows(piece.dataset, piece.table, piece.tenant)
    digest = source_digest(pairs, lambda name: ref(piece.table, name))
    where = f"{inside(scope, piece, kind)} AND ({scope.kept})"
    return f"{digest} FROM {scope.source}\nWHERE {where}"


def _time(piece: Slice) -> str:
    return ref(piece.table, piece.table.target_time)


def key_items(piece: Slice, pairs: Sequence[ColumnPair]) -> list[str]:
    """The key columns as canonical text, under their names."""
    by_name = {pair.name: pair for pair in pairs}
    texts = ((by_name[name].source_text, name) for name in piece.table.key)
    return [f"({fill(text, piece.table, name)})::text AS {ident(name)}" for text, name in texts]


def hash_item(piece: Slice, pairs: Sequence[ColumnPair]) -> str:
    """The row's hash as `hash`."""
    return f"{source_hash(pairs, lambda name: ref(piece.table, name))} AS {ident('hash')}"


def rows_by_hash_sql(
    piece: Slice, pairs: Sequence[ColumnPair], kind: TimeType, bucket: KeyBucket | None = None
) -> str:
    """Keys, hash and credited exclusion of all rows of the slice, or of one bucket of it."""
    scope = of_tenant(piece.dataset, piece.table, piece.tenant)
    items = [*key_items(piece, pairs), hash_item(piece, pairs), f'{scope.excluded} AS "excluded"']
    only = f" AND {_bucket(piece, pairs, bucket.of)} = {bucket.number}" if bucket else ""
    where = f"{inside(scope, piece, kind)}{only}"
    return f"SELECT {', '.join(items)} FROM {scope.source}\nWHERE {where}"


def excluded_sql(piece: Slice, pairs: Sequence[ColumnPair], kind: TimeType) -> str:
    """Keys and credited exclusion of the rows that exclusions keep out."""
    scope = of_tenant(piece.dataset, piece.table, piece.tenant)
    items = ", ".join([*key_items(piece, pairs), f'{scope.excluded} AS "excluded"'])
    # Without exclusions the condition is the constant FALSE, and PostgreSQL reads nothing.
    some = piece.dataset.exclusions_of(piece.table)
    names = ", ".join(literal(one.name) for one in some)
    out = f"{scope.excluded} IN ({names})" if some else "FALSE"
    return f"SELECT {items} FROM {scope.source}\nWHERE {inside(scope, piece, kind)} AND {out}"


def kept_keys_sql(piece: Slice, pairs: Sequence[ColumnPair], kind: TimeType) -> str:
    """Keys of the kept rows, in the form of `excluded_sql`."""
    scope = kept_rows(piece.dataset, piece.table, piece.tenant)
    items = ", ".join([*key_items(piece, pairs), "''::text AS \"excluded\""])
    where = f"{inside(scope, piece, kind)} AND ({scope.kept})"
    return f"SELECT {items} FROM {scope.source}\nWHERE {where}"
