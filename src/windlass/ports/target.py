"""Where rows go."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from windlass.domain.attempt import Attempt, Staging
from windlass.domain.dataset import Slice
from windlass.domain.plan import GroupTable, TablePlan
from windlass.domain.results import Digest, Removed
from windlass.domain.schema import ColumnPair, TargetTable
from windlass.domain.window import Interval

if TYPE_CHECKING:
    import pyarrow as pa

from windlass.ports.basics import Pulse
from windlass.ports.health import HealthyTarget
from windlass.ports.undo import KeepingTarget


class RunningDigest(Protocol):
    """Hashes batches as they pass."""

    def update(self, batch: "pa.RecordBatch") -> None:
        """Take one batch in."""
        ...

    def result(self) -> Digest:
        """The digest of everything taken in, equal to Target.staged's for equal rows."""
        ...


@dataclass(frozen=True)
class Ask:
    """What is to be counted of one live table: the slice, and ranges (marks) inside it."""

    live: TargetTable
    piece: Slice
    marks: Sequence[Interval]

    @property
    def ranges(self) -> list[Interval]:
        """The slice's own range, then the marks."""
        return [self.piece.interval, *self.marks]

    @property
    def edges(self) -> list[datetime]:
        """All instants at which a range begins or ends."""
        return sorted({edge for one in self.ranges for edge in (one.start, one.end)})


Census = tuple[list[int], int]
"""Logical live rows (FINAL where the engine replaces) of the slice and of each mark; and rows of
the slice that are another tenant's."""


class Target(KeepingTarget, HealthyTarget, Protocol):
    """The ClickHouse that serves the readers.

    Every statement carries the attempt's tag as log_comment and sets what matters itself.
    """

    def describe(self, database: str, table: str) -> TargetTable | None:
        """The live table, or None where there is none."""
        ...

    def describe_all(
        self, databases: Sequence[str], tables: Sequence[str]
    ) -> Mapping[tuple[str, str], TargetTable]:
        """The same of all these tables in all these databases at once, by (database, table);
        those that are not there are left out."""
        ...

    def databases(self) -> list[str]:
        """All databases, for tenants that live only in the target."""
        ...

    def whole_ranges(self, live: TargetTable, time: str, within: Interval) -> list[Interval] | None:
        """The ranges inside `within`, one per partition, whose partitions hold no other time,
        as the server itself evaluates the partition expression on a grid of instants; None when
        the partition depends on more than the time; empty when no partition is whole."""
        ...

    def examine(
        self, tables: Sequence[tuple[TargetTable, str]], within: Interval
    ) -> list[list[str]]:
        """What an operator should know of each table (with its time column) over that range
        before anything runs, a line each. PlanError: rows are hidden from us, or cannot be sent
        where they belong."""
        ...

    def count(self, live: TargetTable, time: str, steps: Sequence[Interval]) -> list[int]:
        """Logical live rows (FINAL where the engine replaces) per step."""
        ...

    def count_sql(self, live: TargetTable, piece: Slice) -> str:
        """The statement that an operator runs to count the live slice by hand."""
        ...

    def census(self, asks: Sequence[Ask], attempt: Attempt) -> list[Census]:
        """Count for a plan, each table once. Where a table has no tenant columns, no row is
        another tenant's."""
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

    def staged_rows(self, staging: Staging) -> int:
        """Rows that staging holds. StagingGoneError when it was dropped."""
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
        newer_than: datetime | None = None,
    ) -> Mapping[str, int | str]:
        """Make staging visible by the group's path (PUBLISH.md). `attempt` is this try at
        publishing (the windows' staging belongs to attempts of their own): its tag goes on the
        statements and its token on the `whole` staging. Safe to repeat after any
        interruption. Where single rows are replaced, live rows whose version is a time after
        `newer_than` stay: they may have come since the snapshot, and the catch-up judges them.
        Returns facts for the record: partitions swapped, stale rows removed, gap
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
        *,
        exact: bool = False,
        pulse: Pulse = lambda _rows: None,
    ) -> None:
        """Catch-up: put these rows (as Source.read gives them) in place of what has their keys,
        and take rows with these keys (canonical text) out of the slice. Higher versions of the
        put keys stay, unless `exact`: then nothing else is left of these keys. Repeatable."""
        ...

    def staged_keys(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        rows: Sequence[Staging],
        keys: "pa.Table",
        attempt: Attempt,
    ) -> "pa.Table":
        """Those of the keys (canonical text) that these windows' staging has, once for each
        staged row."""
        ...

    def digest(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        steps: Sequence[Interval] = (),
        attempt: Attempt | None = None,
    ) -> list[Digest]:
        """Count and MD5 sum of live logical rows per step, comparable to Source.digest."""
        ...

    def rows_as_staged(
        self,
        live: TargetTable,
        piece: Slice,
        steps: Sequence[Interval],
        rows: Sequence[Staging],
        attempt: Attempt,
    ) -> list[int] | None:
        """Logical live rows per step, where live consists there of nothing but what these staging
        tables hold, each row of which readers see. None: that is not so, or cannot be told without
        reading the rows; `fingerprints` then says what is so."""
        ...

    def fingerprints(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        steps: Sequence[Interval],
        attempt: Attempt,
    ) -> list[Digest]:
        """Of logical live rows per step, in one pass: the same as `staged`, and as the `digester`
        of what was read, where the rows are the same. Comparable with these alone."""
        ...

    def digest_by_key(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        of: int,
        attempt: Attempt,
    ) -> list[Digest]:
        """`digest` per bucket of keys, comparable to Source.digest_by_key."""
        ...

    def rows_by_hash(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        attempt: Attempt | None = None,
        bucket: tuple[int, int] | None = None,
    ) -> "pa.Table":
        """Key columns (canonical text) and `hash` of live logical rows, as Source's; with
        `bucket` (number, of) only those whose keys lie in it."""
        ...

    def rows_of_keys(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        keys: "pa.Table",
        attempt: Attempt,
    ) -> "pa.Table":
        """`rows_by_hash` of the slice's rows with these keys (canonical text)."""
        ...

    def texts(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        keys: "pa.Table",
        attempt: Attempt,
    ) -> "pa.Table":
        """Every column's canonical text under its name, of the live logical rows of the slice
        with these keys."""
        ...

    def kill(self, *tags: str) -> int:
        """KILL QUERY everything whose log_comment starts with one of `tags`; returns how many
        there were, only after system.processes shows none."""
        ...

    def running(self, tag: str) -> int:
        """How many statements with that log_comment prefix the server lists."""
        ...

    def sweep(self, *attempts: Attempt) -> int:
        """Drop the attempts' staging tables: the fence. Returns how many were dropped."""
        ...

    def check(self) -> list[tuple[str, str, str]]:
        """Findings for `doctor`: (level ok|warn|fail, what, next step)."""
        ...
