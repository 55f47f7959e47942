"""Where rows come from."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from windlass.domain.attempt import Attempt
from windlass.domain.dataset import Dataset, Slice, TableSpec
from windlass.domain.results import Digest, SliceCount, Snapshot, Tally
from windlass.domain.schema import ColumnPair, SourceColumn
from windlass.domain.window import Interval

if TYPE_CHECKING:
    import pyarrow as pa


class SnapshotHold(Protocol):
    """A source snapshot held open by its own session."""

    @property
    def snapshot(self) -> Snapshot:
        """What to import."""
        ...

    def alive(self) -> bool:
        """Whether the session still stands, asked of the server."""
        ...


class Counting(Protocol):
    """A session that counts, tenant after tenant."""

    def tallies(
        self,
        slices: Sequence[Slice],
        step: timedelta,
        marks: Sequence[Interval],
        seconds: float,
    ) -> list[Tally]:
        """One pass over each slice of one tenant and interval, from one snapshot: totals, kept
        rows per step (aligned to the interval's start; empty ones left out) and the exact count
        of each mark (ranges in the interval, any edges). A table that takes longer than so many
        seconds is estimated, and the tally says from what."""
        ...


class Source(Protocol):
    """The application database that the rows come from. It is never written to."""

    def columns(self, table: TableSpec, dataset: Dataset) -> tuple[SourceColumn, ...]:
        """The relation's columns, in order, with `parent.<time>` appended under its target
        name where the table takes its time from the parent. PlanError: no such relation,
        named columns missing, or not one SELECT."""
        ...

    def tenants(self, dataset: Dataset) -> list[tuple[str, str]]:
        """(customer, profile) pairs, distinct, sorted: the query's first two columns, or the
        list."""
        ...

    def counting(self, attempt: Attempt) -> AbstractContextManager[Counting]:
        """A session of the attempt's that counts for a plan: it may take long, and can be seen
        and ended meanwhile."""
        ...

    def hold(
        self, attempt: Attempt, dataset: Dataset | None = None
    ) -> AbstractContextManager[SnapshotHold]:
        """Open one REPEATABLE READ, READ ONLY session and export its snapshot; leaving the
        context ends it. With a dataset the snapshot tells of open transactions that wrote to
        its tables: `writers` and `exact_as_of`."""
        ...

    def count(
        self, piece: Slice, pairs: Sequence[ColumnPair], attempt: Attempt, snapshot: str | None
    ) -> SliceCount:
        """Count with `count(*)`, in that snapshot (SnapshotLostError when it is gone) or now.
        Hazards are counted over kept rows."""
        ...

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
        """`count` of kept rows alone (`excluded` stays empty) per step of the slice, in one pass;
        no two steps overlap. Cheaper where no `versions` are asked for."""
        ...

    def count_all(
        self,
        pieces: Sequence[tuple[Slice, Sequence[ColumnPair]]],
        attempt: Attempt,
        snapshot: str | None,
    ) -> list[SliceCount]:
        """`counts` of whole slices, in one session."""
        ...

    def count_sql(self, piece: Slice) -> str:
        """The statement that an operator runs to count the slice by hand."""
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

    def kept_keys(
        self, piece: Slice, pairs: Sequence[ColumnPair], attempt: Attempt, snapshot: str | None
    ) -> AbstractContextManager[Iterator["pa.RecordBatch"]]:
        """Stream the kept rows' keys as `read_excluded` does the others'; `excluded` is ''."""
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

    def digest_by_key(
        self,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        attempt: Attempt,
        snapshot: str | None,
        of: int,
    ) -> list[Digest]:
        """`digest` per bucket of keys (verify.buckets) instead of per step of time, in order."""
        ...

    def stream_by_hash(
        self,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        attempt: Attempt,
        snapshot: str | None,
        bucket: tuple[int, int] | None = None,
    ) -> AbstractContextManager[Iterator["pa.RecordBatch"]]:
        """Key columns (canonical text), `hash` (int64, the row's MD5 head as in `digest`) and
        `excluded` (name or NULL) of ALL rows of the slice, excluded ones too; with `bucket`
        (number, of) only those whose keys lie in it. Bounded memory."""
        ...

    def texts(
        self,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        keys: "pa.Table",
        attempt: Attempt,
        snapshot: str | None,
    ) -> "pa.Table":
        """Every column's canonical text under its name, of the kept rows of the slice with these
        keys (canonical text)."""
        ...

    def lookup(
        self,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        keys: "pa.Table",
        attempt: Attempt,
        snapshot: str | None = None,
    ) -> "pa.Table":
        """What the source says of these keys (canonical text), without time or tenant
        filter: key columns, `hash`, `excluded` (name or NULL), `inside` (bool: this tenant and
        interval), `ours` (bool: this tenant, at any time)."""
        ...

    def changed(
        self,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        since: datetime,
        attempt: Attempt,
        snapshot: str | None = None,
    ) -> "pa.Table":
        """Rows with version >= since (own or any ancestor's), no time or exclusion filter, one
        consistent read: key columns (canonical text), `inside` (bool: kept, this tenant and
        interval). Only rows that are the tenant's now: see `changed_elsewhere`."""
        ...

    def changed_elsewhere(
        self,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        since: datetime,
        limit: int,
        attempt: Attempt,
        snapshot: str | None = None,
    ) -> "pa.Table":
        """Key columns (canonical text) of rows with version >= since (own or any ancestor's)
        that are not the tenant's, at most `limit`: some may have been. It reads what all
        tenants changed, so it is for when counts say that rows went."""
        ...

    def read_keys(
        self, piece: Slice, pairs: Sequence[ColumnPair], keys: "pa.Table", attempt: Attempt
    ) -> "pa.Table":
        """The present kept rows of the slice with these keys, as `read` gives them."""
        ...

    def running(self, attempt: Attempt) -> int:
        """How many sessions of the attempt the server lists as active (not idle)."""
        ...

    def kill(self, *attempts: Attempt) -> int:
        """Cancel, then terminate every session of the attempts; returns how many there were,
        only after pg_stat_activity shows none."""
        ...

    def check(self) -> list[tuple[str, str, str]]:
        """Findings for `doctor`: (level ok|warn|fail, what, next step)."""
        ...

    def check_tables(self, dataset: Dataset) -> list[tuple[str, str, str]]:
        """The same per table of the dataset: there, readable, its columns and those of its
        exclusions there, its key unique. `what` begins with the table's name."""
        ...
