"""The seams of the engine. The comments here are the contract; one conformance suite checks
each implementation against it.

All adapters are blocking and thread-safe: each call opens or borrows its own connection. All
raise only errors of `windlass.domain.errors`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from windlass.domain.attempt import Attempt, Staging
from windlass.domain.dataset import Dataset, Slice, TableSpec
from windlass.domain.plan import GroupTable, TablePlan
from windlass.domain.results import Bucket, Digest, Removed, SliceCount, Snapshot
from windlass.domain.schema import ColumnPair, SourceColumn, TargetTable
from windlass.domain.window import Interval

if TYPE_CHECKING:
    import pyarrow as pa

Pulse = Callable[[int], None]
"""Called while work moves, with the rows done since the last call. It may raise CancelledError:
the adapter must then stop its server-side work, prove it dead, and let the error through."""


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The present instant, in UTC."""
        ...


class SnapshotHold(Protocol):
    """A source snapshot held open by its own session."""

    @property
    def snapshot(self) -> Snapshot:
        """What to import."""
        ...

    def alive(self) -> bool:
        """Whether the session still stands, asked of the server."""
        ...


class Source(Protocol):
    """The application database that the rows come from. It is never written to."""

    def columns(self, table: TableSpec) -> tuple[SourceColumn, ...]:
        """The relation's columns, in order, with `parent.<time>` appended under its target
        name where the table takes its time from the parent. PlanError: no such relation,
        named columns missing, or not one SELECT."""
        ...

    def tenants(self, dataset: Dataset) -> list[tuple[str, str]]:
        """(customer, profile) pairs, distinct, sorted: the query's first two columns, or the
        list."""
        ...

    def histogram(self, dataset: Dataset, slices: Sequence[Slice], step: timedelta) -> list[Bucket]:
        """Rows after exclusions per step (aligned to the interval's start), all given tables of
        one tenant and interval; empty steps are left out."""
        ...

    def null_times(self, piece: Slice) -> int:
        """Rows of the tenant whose time is NULL (they belong to no window)."""
        ...

    def hold(self, attempt: Attempt) -> AbstractContextManager[SnapshotHold]:
        """Open one REPEATABLE READ, READ ONLY session and export its snapshot; leaving the
        context ends it."""
        ...

    def count(
        self, piece: Slice, pairs: Sequence[ColumnPair], attempt: Attempt, snapshot: str | None
    ) -> SliceCount:
        """Count with `count(*)`, in that snapshot (SnapshotLostError when it is gone) or now.
        Hazards are counted over kept rows."""
        ...

    def read(
        self, piece: Slice, pairs: Sequence[ColumnPair], attempt: Attempt, snapshot: str | None
    ) -> AbstractContextManager[Iterator["pa.RecordBatch"]]:
        """Stream the kept rows as Arrow batches, columns named and ordered as `pairs`; bounded
        memory. Leaving the context early cancels the query on the server."""
        ...

    def read_excluded(
        self, piece: Slice, pairs: Sequence[ColumnPair], attempt: Attempt, snapshot: str | None
    ) -> AbstractContextManager[Iterator["pa.RecordBatch"]]:
        """Stream the keys (as canonical text, one column per key column) of the rows that
        exclusions keep out, and the column `excluded` with the credited name."""
        ...

    def digest(
        self,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        attempt: Attempt,
        snapshot: str | None,
        steps: Sequence[Interval] = (),
    ) -> list[Digest]:
        """Count and MD5 sum of kept rows computed by the server itself from `source_text`, one
        per step (the whole slice when none are given)."""
        ...

    def rows_by_hash(
        self, piece: Slice, pairs: Sequence[ColumnPair], attempt: Attempt, snapshot: str | None
    ) -> "pa.Table":
        """Key columns (canonical text), `hash` (int64, the row's MD5 head as in `digest`) and
        `excluded` (name or NULL) of ALL rows of the slice, excluded ones too."""
        ...

    def lookup(
        self, piece: Slice, pairs: Sequence[ColumnPair], keys: "pa.Table", attempt: Attempt
    ) -> "pa.Table":
        """What the source says now of these keys (canonical text), without time or tenant
        filter: key columns, `hash`, `excluded` (name or NULL), `inside` (bool: this tenant and
        interval)."""
        ...

    def changed(
        self, piece: Slice, pairs: Sequence[ColumnPair], since: datetime, attempt: Attempt
    ) -> "pa.Table":
        """Rows with version >= since (own or any ancestor's), no time or exclusion filter, one
        consistent read: key columns (canonical text), `inside` (bool: kept, this tenant and
        interval)."""
        ...

    def read_keys(
        self, piece: Slice, pairs: Sequence[ColumnPair], keys: "pa.Table", attempt: Attempt
    ) -> "pa.Table":
        """The present kept rows of the slice with these keys, as `read` gives them."""
        ...

    def kill(self, attempt: Attempt) -> int:
        """Cancel, then terminate every session of the attempt; returns how many there were,
        only after pg_stat_activity shows none."""
        ...

    def check(self) -> list[tuple[str, str, str]]:
        """Findings for `doctor`: (level ok|warn|fail, what, next step)."""
        ...


class RunningDigest(Protocol):
    """Hashes batches as they pass."""

    def update(self, batch: "pa.RecordBatch") -> None:
        """Take one batch in."""
        ...

    def result(self) -> Digest:
        """The digest of everything taken in, equal to Target.staged's for equal rows."""
        ...


class Target(Protocol):
    """The ClickHouse that serves the readers.

    Every statement carries the attempt's tag as log_comment and sets what matters itself.
    """

    def describe(self, database: str, table: str) -> TargetTable | None:
        """The live table, or None where there is none."""
        ...

    def databases(self) -> list[str]:
        """All databases, for tenants that live only in the target."""
        ...

    def whole_ranges(self, live: TargetTable, time: str, within: Interval) -> list[Interval] | None:
        """The ranges inside `within`, one per partition, whose partitions hold no other time,
        as the server itself evaluates the partition expression on a grid of instants; None when
        the partition depends on more than the time; empty when no partition is whole."""
        ...

    def count(self, live: TargetTable, time: str, steps: Sequence[Interval]) -> list[int]:
        """Logical live rows (FINAL where the engine replaces) per step."""
        ...

    def foreign_rows(self, live: TargetTable, piece: Slice) -> int:
        """Live rows in the range that belong to another tenant, where the table has the tenant
        columns; 0 where it has not."""
        ...

    def digester(self, pairs: Sequence[ColumnPair]) -> RunningDigest:
        """A digest over Arrow batches with the engine's own hash."""
        ...

    def stage(self, live: TargetTable, staging: Staging) -> None:
        """Create the staging table afresh (dropping what an earlier try of the same attempt
        left): plain MergeTree, live's columns, sorting key and partition key."""
        ...

    def insert(self, staging: Staging, batches: Iterable["pa.RecordBatch"], pulse: Pulse) -> None:
        """Stream the batches in with one INSERT; bounded memory. StagingGoneError when the
        table was dropped (the attempt is dead)."""
        ...

    def staged(
        self,
        staging: Staging,
        pairs: Sequence[ColumnPair],
        within: Interval | None = None,
        time: str = "",
        *,
        md5: bool = False,
    ) -> Digest:
        """Digest of what staging holds; with `md5` comparable to Source.digest, otherwise to
        `digester`."""
        ...

    def stage_excluded(self, staging: Staging, keys: Sequence[str]) -> None:
        """Create the table for keys kept out: String key columns and `excluded`."""
        ...

    def removed(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        rows: Sequence[Staging],
        excluded: Staging | None,
        attempt: Attempt,
    ) -> Removed:
        """What publishing these windows' staging over the slice would remove, attributed from
        `excluded`; without it everything gone is unexplained."""
        ...

    def gone_keys(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        rows: Sequence[Staging],
        excluded: Staging | None,
        limit: int,
        attempt: Attempt,
    ) -> "pa.Table":
        """Keys (canonical text) of live rows of the slice that neither staging nor `excluded`
        has, at most `limit`."""
        ...

    def publish(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        plan: TablePlan,
        group: GroupTable,
        rows: Sequence[Staging],
        attempt: Attempt,
        pulse: Pulse,
    ) -> Mapping[str, int | str]:
        """Make staging visible by the group's path (PUBLISH.md). `attempt` is this try at
        publishing (the windows' staging belongs to attempts of their own): its tag goes on the
        statements and its token on the `whole` staging. Safe to repeat after any
        interruption. Returns facts for the record: partitions swapped, stale rows removed, gap
        seconds. StagingGoneError when the attempt is dead."""
        ...

    def differing(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        rows: Sequence[Staging],
        limit: int,
        attempt: Attempt,
    ) -> "pa.Table":
        """After publish: keys (canonical text) whose live row (FINAL) is not the staged one:
        columns `<key…>`, `side` (live|staged|both). Empty means live equals staging exactly."""
        ...

    def apply(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        plan: TablePlan,
        upsert: "pa.Table | None",
        remove: "pa.Table | None",
        attempt: Attempt,
    ) -> None:
        """Catch-up: put these rows (as Source.read gives them) in place of what has their keys,
        and take rows with these keys (canonical text) out of the slice. Repeatable."""
        ...

    def digest(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        steps: Sequence[Interval] = (),
    ) -> list[Digest]:
        """Count and MD5 sum of live logical rows per step, comparable to Source.digest."""
        ...

    def rows_by_hash(
        self, live: TargetTable, piece: Slice, pairs: Sequence[ColumnPair]
    ) -> "pa.Table":
        """Key columns (canonical text) and `hash` of live logical rows, as Source's."""
        ...

    def kill(self, tag: str) -> int:
        """KILL QUERY everything whose log_comment starts with `tag`; returns how many there
        were, only after system.processes shows none."""
        ...

    def running(self, tag: str) -> int:
        """How many statements with that log_comment prefix the server lists."""
        ...

    def sweep(self, attempt: Attempt) -> int:
        """Drop the attempt's staging tables: the fence. Returns how many were dropped."""
        ...

    def check(self) -> list[tuple[str, str, str]]:
        """Findings for `doctor`: (level ok|warn|fail, what, next step)."""
        ...
