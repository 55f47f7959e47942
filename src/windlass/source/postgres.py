"""PostgreSQL as a source (ports.Source): each method opens what it needs and closes it again."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
import pyarrow as pa

from windlass.domain.attempt import Attempt
from windlass.domain.dataset import Dataset, Slice, TableSpec
from windlass.domain.errors import PlanError
from windlass.domain.results import Digest, SliceCount, Tally
from windlass.domain.schema import ColumnPair, SourceColumn
from windlass.domain.window import Interval
from windlass.source import count, digest, discover, select, tally, times
from windlass.source.check import Finding, check_server, check_tables, grants
from windlass.source.judge import is_query
from windlass.source.keys import (
    changed_sql,
    chunks,
    elsewhere_sql,
    lookup_sql,
    read_keys_sql,
    texts_sql,
)
from windlass.source.kill import count_running, end_attempts
from windlass.source.relation import tables_of
from windlass.source.session import Connection, Limits, Server, consistent, control, run
from windlass.source.snapshot import Hold, hold
from windlass.source.stream import Driver, read_all, stream
from windlass.source.times import TimeType
from windlass.verify.buckets import KeyBucket

Batches = AbstractContextManager[Iterator[pa.RecordBatch]]


@dataclass(frozen=True)
class Counter:
    """A session that counts (ports.Counting); `time_type` gives a slice's."""

    connection: Connection
    time_type: Callable[[Slice], TimeType]

    def tallies(
        self,
        slices: Sequence[Slice],
        step: timedelta,
        marks: Sequence[Interval],
        seconds: float,
    ) -> list[Tally]:
        """One pass over each slice."""
        typed = [(piece, self.time_type(piece)) for piece in slices]
        return tally.tallies(self.connection, typed, step, marks, seconds)


class PostgresSource:
    """One application database.

    `url` is libpq's; `statement_timeout` and `lock_timeout` are milliseconds (0: never) and
    replace what the role has by default.
    """

    def __init__(self, url: str, *, statement_timeout: int = 0, lock_timeout: int = 60_000) -> None:
        self._server = Server(url, Limits(statement_timeout, lock_timeout))
        self._driver = Driver(self._server)
        self._types: dict[tuple[str, str], TimeType] = {}

    def columns(self, table: TableSpec, dataset: Dataset) -> tuple[SourceColumn, ...]:
        """The relation's columns; a time from the parent stands last, with its type there."""
        with control(self._server, f"reading the columns of {table.relation}") as connection:
            own = self._described(connection, table.relation)
            discover.check_columns(table, own, self._server.place)
            if not table.time_from_parent:
                return own
            inherited = self._inherited(connection, table, dataset)
            return (*(one for one in own if one.name != inherited.name), inherited)

    def _inherited(
        self, connection: Connection, table: TableSpec, dataset: Dataset
    ) -> SourceColumn:
        owner = discover.time_owner(dataset, table)
        for column in self._described(connection, owner.relation):
            if column.name == table.target_time:
                return column
        raise PlanError(
            f"{owner.relation} has no column {table.target_time}",
            where=self._server.place,
            why=f"table {table.name} takes its time from there ({table.time})",
            next_step=f"correct `time` of {table.name} in the fleet file",
        )

    def _described(self, connection: Connection, relation: str) -> tuple[SourceColumn, ...]:
        try:
            return discover.relation_columns(connection, relation)
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            if is_query(relation):
                raise
            raise discover.no_such_table(self._server, connection, relation) from None

    def tenants(self, dataset: Dataset) -> list[tuple[str, str]]:
        """(customer, profile) pairs, distinct and sorted; NULL in either belongs to nobody."""
        if dataset.tenants_query is None:
            return sorted(set(dataset.tenants_list))
        with control(self._server, f"finding the tenants of {dataset.name}") as connection:
            return discover.tenant_pairs(connection, dataset.tenants_query)

    @contextmanager
    def counting(self, attempt: Attempt) -> Iterator["Counter"]:
        """A session for counting."""
        name = attempt.application_name
        with control(self._server, "counting by time", name) as connection:
            yield Counter(connection, self._time_type)

    def hold(
        self, attempt: Attempt, dataset: Dataset | None = None
    ) -> AbstractContextManager[Hold]:
        """Export a snapshot and keep it importable."""
        return hold(self._server, attempt.application_name, tables_of(dataset) if dataset else ())

    def count(
        self, piece: Slice, pairs: Sequence[ColumnPair], attempt: Attempt, snapshot: str | None
    ) -> SliceCount:
        """Kept, excluded, hazards (only columns that have some) and max version."""
        kind = self._time_type(piece, pairs)
        with self._in(attempt, snapshot, f"counting {piece.table.name}") as connection:
            return count.count_slice(connection, piece, pairs, kind)

    def counts(
        self,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        steps: Sequence[Interval],
        attempt: Attempt,
        snapshot: str | None,
        *,
        versions: bool = True,
    ) -> list[SliceCount]:
        """The same of kept rows alone, per step, in one pass."""
        kind = self._time_type(piece, pairs)
        with self._in(attempt, snapshot, f"counting {piece.table.name}") as connection:
            return count.count_steps(connection, piece, pairs, kind, steps, versions=versions)

    def count_all(
        self,
        pieces: Sequence[tuple[Slice, Sequence[ColumnPair]]],
        attempt: Attempt,
        snapshot: str | None,
    ) -> list[SliceCount]:
        """The same of whole slices, one after the other in one session."""
        kinds = [self._time_type(piece, pairs) for piece, pairs in pieces]
        names = ", ".join(piece.table.name for piece, _ in pieces)
        with self._in(attempt, snapshot, f"counting {names}") as connection:
            run(connection, count.ALONE)
            return [
                count.count_steps(connection, piece, pairs, kind, [piece.interval])[0]
                for (piece, pairs), kind in zip(pieces, kinds, strict=True)
            ]

    def count_sql(self, piece: Slice) -> str:
        """The statement behind `count`, to run by hand."""
        return count.count_sql(piece, (), self._time_type(piece))

    def read(
        self, piece: Slice, pairs: Sequence[ColumnPair], attempt: Attempt, snapshot: str | None
    ) -> Batches:
        """Stream the kept rows."""
        table = piece.table
        time = select.ref(table, table.target_time)
        within = times.within(time, self._time_type(piece, pairs), piece.interval)
        return self._stream(select.select_kept(piece, pairs, within), attempt, snapshot)

    def read_excluded(
        self, piece: Slice, pairs: Sequence[ColumnPair], attempt: Attempt, snapshot: str | None
    ) -> Batches:
        """Stream the keys that exclusions keep out."""
        query = digest.excluded_sql(piece, pairs, self._time_type(piece, pairs))
        return self._stream(query, attempt, snapshot)

    def kept_keys(
        self, piece: Slice, pairs: Sequence[ColumnPair], attempt: Attempt, snapshot: str | None
    ) -> Batches:
        """Stream the keys of the kept rows."""
        query = digest.kept_keys_sql(piece, pairs, self._time_type(piece, pairs))
        return self._stream(query, attempt, snapshot)

    def digest(
        self,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        attempt: Attempt,
        snapshot: str | None,
        steps: Sequence[Interval] = (),
    ) -> list[Digest]:
        """The server's own digests of kept rows."""
        kind = self._time_type(piece, pairs)
        with self._in(attempt, snapshot, f"hashing {piece.table.name}") as connection:
            return digest.digests(connection, piece, pairs, kind, steps)

    def digest_by_key(
        self,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        attempt: Attempt,
        snapshot: str | None,
        of: int,
    ) -> list[Digest]:
        """The server's own digests of kept rows, one per bucket of keys."""
        kind = self._time_type(piece, pairs)
        with self._in(attempt, snapshot, f"hashing {piece.table.name}") as connection:
            return digest.digests_by_key(connection, piece, pairs, kind, of)

    def stream_by_hash(
        self,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        attempt: Attempt,
        snapshot: str | None,
        bucket: tuple[int, int] | None = None,
    ) -> Batches:
        """Keys, hash and credited exclusion of all rows of the slice, of one bucket of keys where
        one is given."""
        kind = self._time_type(piece, pairs)
        query = digest.rows_by_hash_sql(piece, pairs, kind, KeyBucket(*bucket) if bucket else None)
        return self._stream(query, attempt, snapshot)

    def texts(
        self,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        keys: pa.Table,
        attempt: Attempt,
        snapshot: str | None,
    ) -> pa.Table:
        """Every column's canonical text, of the kept rows of the slice with these keys."""
        kind = self._time_type(piece, pairs)
        queries = [texts_sql(piece, pairs, kind, chunk) for chunk in chunks(piece, keys)]
        return read_all(self._driver, queries, attempt.application_name, snapshot)

    def lookup(
        self,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        keys: pa.Table,
        attempt: Attempt,
        snapshot: str | None = None,
    ) -> pa.Table:
        """What the source says of these keys."""
        kind = self._time_type(piece, pairs)
        queries = [lookup_sql(piece, pairs, kind, chunk) for chunk in chunks(piece, keys)]
        return read_all(self._driver, queries, attempt.application_name, snapshot)

    def changed(
        self,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        since: datetime,
        attempt: Attempt,
        snapshot: str | None = None,
    ) -> pa.Table:
        """Keys of rows changed from `since` on, by their own version or an ancestor's."""
        kind = self._time_type(piece, pairs)
        query = changed_sql(piece, pairs, kind, since, self._column_type)
        return read_all(self._driver, [query], attempt.application_name, snapshot)

    def changed_elsewhere(
        self,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        since: datetime,
        limit: int,
        attempt: Attempt,
        snapshot: str | None = None,
    ) -> pa.Table:
        """Keys of rows changed from `since` on that are not the tenant's."""
        query = elsewhere_sql(piece, pairs, since, limit, self._column_type)
        return read_all(self._driver, [query], attempt.application_name, snapshot)

    def read_keys(
        self, piece: Slice, pairs: Sequence[ColumnPair], keys: pa.Table, attempt: Attempt
    ) -> pa.Table:
        """The present kept rows of the slice with these keys."""
        kind = self._time_type(piece, pairs)
        queries = [read_keys_sql(piece, pairs, kind, chunk) for chunk in chunks(piece, keys)]
        return read_all(self._driver, queries, attempt.application_name, None)

    def running(self, attempt: Attempt) -> int:
        """Sessions of the attempt that are at work."""
        return count_running(self._server, attempt.application_name)

    def kill(self, *attempts: Attempt) -> int:
        """End every session of the attempts."""
        return end_attempts(self._server, [one.application_name for one in attempts])

    def check(self) -> list[Finding]:
        """Findings about the server, for `doctor`."""
        return check_server(self._server)

    def check_tables(self, dataset: Dataset) -> list[Finding]:
        """Findings about the tables that the dataset reads, for `doctor`."""
        return check_tables(self._server, dataset)

    def grants(self, dataset: Dataset) -> list[str]:
        """The statements that give the reader's role what a rebuild needs."""
        return grants(self._server, dataset)

    def _in(
        self, attempt: Attempt, snapshot: str | None, doing: str
    ) -> AbstractContextManager[Connection]:
        return consistent(self._server, doing, attempt.application_name, snapshot)

    def _stream(self, query: str, attempt: Attempt, snapshot: str | None) -> Batches:
        return stream(self._driver, query, attempt.application_name, snapshot)

    def _time_type(self, piece: Slice, pairs: Sequence[ColumnPair] = ()) -> TimeType:
        """The type of the slice's time: known from the pairs, else asked once."""
        table = piece.table
        for pair in pairs:
            if pair.name == table.target_time:
                return times.time_type(pair.source_type, pair.name, table.name)
        owner = discover.time_owner(piece.dataset, table)
        return self._column_type(owner, table.target_time)

    def _column_type(self, table: TableSpec, column: str) -> TimeType:
        known = self._types.get((table.relation, column))
        if known is None:
            with control(self._server, f"reading the columns of {table.relation}") as connection:
                columns = self._described(connection, table.relation)
            declared = {one.name: one.type for one in columns}.get(column, "missing")
            known = times.time_type(declared, column, table.relation)
            self._types[table.relation, column] = known
        return known
