"""Rows by their keys, given as canonical text, and rows by what changed.

Keys of common types are turned back into values of the column's type, so that its index finds
them; others are compared as text.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from windlass.domain.dataset import Dataset, Slice, TableSpec
from windlass.domain.errors import PlanError
from windlass.domain.schema import ColumnPair
from windlass.domain.tenant import Tenant
from windlass.source.count import inside
from windlass.source.digest import hash_item, key_items
from windlass.source.quote import ident, text_array
from windlass.source.relation import relation_sql
from windlass.source.select import (
    Scope,
    fill,
    kept_rows,
    of_anyone,
    of_tenant,
    ref,
    select_kept,
)
from windlass.source.times import TimeType, since, within
from windlass.verify.pgtype import parse

CHUNK = 5_000
"""Keys in one statement."""

NULL = "N"
"""The canonical text of NULL."""

_TYPED = {"int2", "int4", "int8", "oid", "uuid", "numeric", "text"}
"""Families whose canonical text is the value's own, or has its length in front."""

_OWN = ("coalesce(({c})::text,'N')", "coalesce(trim_scale({c})::text,'N')")
_WITH_LENGTH = "coalesce(octet_length(({c})::text)||':'||({c})::text,'N')"

TimeOf = Callable[[TableSpec, str], TimeType]
"""The type of a time column of that table; PlanError when it is none."""


def chunks(piece: Slice, keys: pa.Table) -> Iterator[list[list[str]]]:
    """The distinct keys, in pieces that fit a statement; one list of texts per key column. No
    keys are one empty piece: its result has the right columns."""
    names = list(piece.table.key)
    distinct = keys.select(names).group_by(names).aggregate([])
    for start in range(0, max(1, distinct.num_rows), CHUNK):
        part = distinct.slice(start, CHUNK)
        yield [[str(text) for text in part.column(name).to_pylist()] for name in names]


def among(piece: Slice, pairs: Sequence[ColumnPair], chunk: list[list[str]]) -> str:
    """The condition that a row's key is one of these."""
    by_name = {pair.name: pair for pair in pairs}
    columns = [
        _Column.of(piece.table, by_name[name], texts)
        for name, texts in zip(piece.table.key, chunk, strict=True)
    ]
    if len(columns) == 1:
        return f"{columns[0].reference} = ANY ({columns[0].array})"
    references = ", ".join(column.reference for column in columns)
    arrays = ", ".join(column.array for column in columns)
    return f"({references}) IN (SELECT * FROM unnest({arrays}))"


@dataclass(frozen=True)
class _Column:
    """One key column as it is compared: a reference, and an array of the same type."""

    reference: str
    array: str

    @classmethod
    def of(cls, table: TableSpec, pair: ColumnPair, texts: list[str]) -> "_Column":
        family = parse(pair.source_type).family
        values = _values(pair, texts) if family in _TYPED and NULL not in texts else None
        if values is None:
            text = f"({fill(pair.source_text, table, pair.name)})::text"
            return cls(text, text_array(texts))
        return cls(ref(table, pair.name), f"{text_array(values)}::{family}[]")


def _values(pair: ColumnPair, texts: list[str]) -> list[str] | None:
    """The values that those canonical texts stand for; None where the text is another form."""
    if pair.source_text in _OWN:
        return texts
    if pair.source_text == _WITH_LENGTH:
        return [text.partition(":")[2] for text in texts]
    return None


def read_keys_sql(
    piece: Slice, pairs: Sequence[ColumnPair], kind: TimeType, chunk: list[list[str]]
) -> str:
    """The kept rows of the slice with these keys."""
    time = ref(piece.table, piece.table.target_time)
    return select_kept(piece, pairs, within(time, kind, piece.interval), among(piece, pairs, chunk))


def lookup_sql(
    piece: Slice, pairs: Sequence[ColumnPair], kind: TimeType, chunk: list[list[str]]
) -> str:
    """Keys, hash, credited exclusion, `inside` and `ours` of these keys, wherever they now
    belong."""
    scope = of_anyone(piece.dataset, piece.table, piece.tenant)
    items = [
        *key_items(piece, pairs),
        hash_item(piece, pairs),
        f'{scope.excluded} AS "excluded"',
        f'coalesce({inside(scope, piece, kind)}, FALSE) AS "inside"',
        f'coalesce(({scope.tenant}), FALSE) AS "ours"',
    ]
    return f"SELECT {', '.join(items)} FROM {scope.source}\nWHERE {among(piece, pairs, chunk)}"


def texts_sql(
    piece: Slice, pairs: Sequence[ColumnPair], kind: TimeType, chunk: list[list[str]]
) -> str:
    """Every column's canonical text, of the kept rows of the slice with these keys."""
    table = piece.table
    scope = kept_rows(piece.dataset, table, piece.tenant)
    texts = (f"({fill(p.source_text, table, p.name)})::text AS {ident(p.name)}" for p in pairs)
    where = f"{inside(scope, piece, kind)} AND ({scope.kept}) AND {among(piece, pairs, chunk)}"
    return f"SELECT {', '.join(texts)} FROM {scope.source}\nWHERE {where}"


def changed_sql(
    piece: Slice, pairs: Sequence[ColumnPair], kind: TimeType, at: datetime, type_of: TimeOf
) -> str:
    """Keys of the tenant's rows with a version of their own or of an ancestor from `at` on, and
    `inside`. Only rows that are now the tenant's: a search through all tenants' changes would
    cost each tenant what all of them cost."""
    scope = of_tenant(piece.dataset, piece.table, piece.tenant)
    here = f"{inside(scope, piece, kind)} AND {scope.excluded} IS NULL"
    items = [*key_items(piece, pairs), f'coalesce({here}, FALSE) AS "inside"']
    found = _found(piece, of_tenant, at, type_of)
    return f"SELECT {', '.join(items)} FROM {scope.source}\nWHERE ({scope.tenant}) AND {found}"


def elsewhere_sql(
    piece: Slice, pairs: Sequence[ColumnPair], at: datetime, limit: int, type_of: TimeOf
) -> str:
    """Keys of rows, changed as above, that are not the tenant's: some may have been."""
    scope = of_anyone(piece.dataset, piece.table, piece.tenant)
    items = ", ".join(key_items(piece, pairs))
    where = f"({scope.tenant}) IS NOT TRUE AND {_found(piece, of_anyone, at, type_of)}"
    return f"SELECT {items} FROM {scope.source}\nWHERE {where} LIMIT {limit}"


ScopeOf = Callable[[Dataset, TableSpec, Tenant], Scope]


def _found(piece: Slice, scope_of: ScopeOf, at: datetime, type_of: TimeOf) -> str:
    """The condition that a row, or an ancestor of it, has changed."""
    table = piece.table
    branches = _changes(piece, table, table.key, scope_of, at, type_of)
    if not branches:
        raise _no_version(table)
    key = ", ".join(f"t.{ident(name)}" for name in table.key)
    found = "\nUNION ALL ".join(branches)
    return f"({key}) IN ({found})"


def _changes(
    piece: Slice,
    table: TableSpec,
    columns: Sequence[str],
    scope_of: ScopeOf,
    at: datetime,
    type_of: TimeOf,
) -> list[str]:
    """Queries for those columns of changed rows: each can use the index of one version."""
    scope = scope_of(piece.dataset, table, piece.tenant)
    head = ", ".join(f"t.{ident(name)}" for name in columns)
    whose = f"({scope.tenant})" if scope_of is of_tenant else "TRUE"
    rows = scope.source if scope_of is of_tenant else f"{relation_sql(table.relation)} AS t"
    base = f"SELECT {head} FROM {rows}\nWHERE {whose} AND"
    own = []
    if table.version is not None:
        kind = type_of(table, table.version)
        own = [f"{base} {since(f't.{ident(table.version)}', kind, at)}"]
    if table.parent is None:
        return own
    parent = piece.dataset.table(table.parent.table)
    above = _changes(piece, parent, [up for _, up in table.parent.on], scope_of, at, type_of)
    links = ", ".join(f"t.{ident(child)}" for child, _ in table.parent.on)
    return own + [f"{base} ({links}) IN ({query})" for query in above]


def _no_version(table: TableSpec) -> PlanError:
    return PlanError(
        f"table {table.name} has no version to find changes by",
        why="neither it nor a table above it names a `version` column",
        next_step=f"set datasets.….tables.{table.name}.version, or rely on comparing digests",
    )
