"""The seams of the engine. The comments here are the contract; one conformance suite checks
each implementation against it.

All adapters are blocking and thread-safe: each call opens or borrows its own connection. All
raise only errors of `windlass.domain.errors`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from windlass.domain.attempt import Attempt, Staging
from windlass.domain.dataset import Dataset, Slice, TableSpec
from windlass.domain.errors import WindlassError
from windlass.domain.plan import GroupPlan, GroupTable, Guard, Plan, TablePlan
from windlass.domain.record import (
    CampaignDraft,
    CampaignFacts,
    CampaignRecord,
    Event,
    HistoryEntry,
    RequestRecord,
    Scope,
    StatusView,
    StepRecord,
    WindowView,
)
from windlass.domain.results import Bucket, Digest, Removed, SliceCount, Snapshot, TableCounts
from windlass.domain.schema import ColumnPair, SourceColumn, TargetTable
from windlass.domain.states import Health, State, Verdict
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

    def columns(self, table: TableSpec, dataset: Dataset) -> tuple[SourceColumn, ...]:
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

    def running(self, attempt: Attempt) -> int:
        """How many sessions of the attempt the server lists as active (not idle)."""
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

    def count_sql(self, live: TargetTable, piece: Slice) -> str:
        """The statement that an operator runs to count the live slice by hand."""
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


@dataclass(frozen=True)
class HeldCounts:
    """What a verified window held when it was verified, for one table: rows in the source after
    exclusions, max(version) as text, logical live rows."""

    source_rows: int
    max_version: str | None
    live_rows: int


@dataclass(frozen=True)
class HeldRecord:
    """A verified window on record; `voided` says what was done over it since ('' nothing)."""

    campaign: str
    interval: Interval
    definition: str
    tables: Mapping[str, HeldCounts]
    voided: str = ""


class Ledger(Protocol):
    """What the engine's activities need of the durable record. Each call is one transaction and
    safe to repeat."""

    def ledger_id(self) -> str:
        """This ledger's own UUID."""
        ...

    # requests: an operator's question, answered by a cluster's worker
    def request(self, request: str) -> tuple[str, str]:
        """(kind, payload JSON) of a request."""
        ...

    def finish_request(self, request: str, answer: str) -> None:
        """The answer's JSON."""
        ...

    def fail_request(self, request: str, error: WindlassError) -> None:
        """The error, so that the CLI can raise it again (class name, what, where, why, next)."""
        ...

    # campaigns
    def campaign_plan(self, campaign: str) -> Plan:
        """The plan of the campaign, its ids starting with the campaign's name. KeyError: none."""
        ...

    def cancelling(self, campaign: str, cluster: str) -> bool:
        """Whether an operator has asked to cancel (cheap: asked every second)."""
        ...

    def begin_attempt(self, campaign: str, subject: str) -> int:
        """The next attempt number of a window, a group, or a step of one; 1 for the first."""
        ...

    def cluster_state(self, campaign: str, cluster: str, state: State, note: str = "") -> None:
        """Move a campaign's cluster; the campaign's own state is rolled up from its clusters."""
        ...

    def tenant_state(
        self, campaign: str, cluster: str, database: str, state: State, note: str = ""
    ) -> None:
        """Move a tenant."""
        ...

    def tenant_rolled_up(self, campaign: str, cluster: str, database: str) -> State:
        """Set the tenant's state from its windows' states, and return it."""
        ...

    def tenant_cancelled(self, campaign: str, cluster: str, database: str) -> None:
        """Unfinished windows and the tenant itself are cancelled; published windows stay."""
        ...

    def cluster_closed(self, campaign: str, cluster: str) -> State:
        """Roll the cluster's state (and the campaign's) up from its tenants; ended_at."""
        ...

    def unfinished_subjects(self, campaign: str, cluster: str, database: str) -> list[Attempt]:
        """The latest attempt of every subject of the tenant (windows, groups, steps), for
        killing and sweeping."""
        ...

    def group_subjects(self, group: str) -> list[Attempt]:
        """All attempts of the group's windows, of the group and of its steps
        (`<group>/snapshot|guard|settle`), for sweeping."""
        ...

    # windows and groups
    def window_started(self, window: str, attempt: int) -> None:
        """State running; started_at once; attempts."""
        ...

    def progress(self, window: str, attempt: int, rows: int) -> None:
        """Rows moved so far by this attempt (a cheap upsert)."""
        ...

    def table_loaded(self, window: str, table: str, rows: int, seconds: float) -> None:
        """Rows staged and proven for one table of the window; repeating replaces."""
        ...

    def window_loaded(self, window: str, rows: int) -> None:
        """All tables staged and proven (still running: not yet visible)."""
        ...

    def table_rows(self, group: str, table: str) -> int:
        """Rows staged for that table over all windows of the group (table_loaded)."""
        ...

    def removed(self, group: str, table: str) -> Removed | None:
        """What `record_removed` recorded for the table, if anything."""
        ...

    def record_removed(self, group: str, table: str, removed: Removed) -> None:
        """Rows that are live before publish, and those that will go; repeating replaces."""
        ...

    def publish_begun(self, group: str, table: str) -> bool:
        """Whether any attempt ever began to publish that table of the group."""
        ...

    def step_begin(self, group: str, attempt: int, table: str, step: str) -> None:
        """The mark before an effect."""
        ...

    def step_end(
        self, group: str, attempt: int, table: str, step: str, facts: Mapping[str, object]
    ) -> None:
        """The mark after it, with facts."""
        ...

    def group_done(
        self, group: str, counts: Sequence[TableCounts], verdict: Verdict, rows: int
    ) -> None:
        """Counts per table; every window of the group done with that verdict (a mismatch or
        unverified one stays visible as such)."""
        ...

    def group_parked(self, group: str, note: str) -> None:
        """Every unfinished window of the group parked with that note, and an event."""
        ...

    def event(
        self, campaign: str, cluster: str, database: str, subject: str, kind: str, text: str
    ) -> None:
        """A problem met, or what was done about it."""
        ...

    def query(
        self, campaign: str, database: str, table: str, purpose: str, server: str, sql: str
    ) -> None:
        """A query that reproduces a figure; repeating replaces."""
        ...

    # what holds
    def record_verified(
        self, window: str, definition: str, tables: Mapping[str, HeldCounts]
    ) -> None:
        """The window's range is verified under that definition; older records that it covers are
        superseded."""
        ...

    def verified(
        self, dataset: str, cluster: str, database: str, interval: Interval
    ) -> list[HeldRecord]:
        """Verified windows that overlap the interval, newest first."""
        ...

    def rate(self, cluster: str, database: str) -> tuple[float, str] | None:
        """(rows per second, basis) from finished windows: this tenant's, else the cluster's;
        None without history."""
        ...


class LedgerReader(Protocol):
    """What operators' programs (CLI, web, report) read. UsageError, with the nearest name, where
    something does not exist; a campaign given as None is the latest one."""

    def ledger_id(self) -> str:
        """This ledger's own UUID: worker and CLI compare theirs."""
        ...

    def request_record(self, request: str) -> RequestRecord:
        """How a request stands."""
        ...

    def answer(self, request: str) -> str:
        """The answer's JSON. A failed request raises its error, of the class and with the fields
        that `fail_request` was given; UnreachableError while there is no answer yet."""
        ...

    def plan(self, plan: str) -> Plan:
        """A saved plan by its id."""
        ...

    def campaign(self, name: str | None = None) -> CampaignRecord:
        """That campaign as it stands."""
        ...

    def campaigns(self, limit: int = 50) -> list[CampaignRecord]:
        """Campaigns, the latest first."""
        ...

    def status(self, campaign: str | None = None, *, windows: bool = False) -> StatusView:
        """How a campaign stands; `windows` fills in every tenant's windows."""
        ...

    def facts(self, campaign: str | None = None) -> CampaignFacts:
        """Everything that a report is written from."""
        ...

    def paused(self, campaign: str, cluster: str, database: str = "") -> bool:
        """Whether the campaign, or that part of it, is pausing or paused: start nothing."""
        ...

    def limits(self, campaign: str, cluster: str, database: str = "") -> Mapping[str, int]:
        """The operator's limits (windows, windows_per_tenant, rows_per_second), each from the
        narrowest scope that sets it; empty when none were set."""
        ...

    def todo(self, campaign: str, cluster: str, database: str) -> list[str]:
        """Ids of the tenant's publish groups that have a window still to do (queued, running),
        in order of time."""
        ...

    def window(self, window: str) -> WindowView:
        """One window."""
        ...

    def events(self, campaign: str, subject: str = "") -> list[Event]:
        """What happened, oldest first; with a window's or group's id only what concerns it."""
        ...

    def steps(self, group: str) -> list[StepRecord]:
        """The group's publish steps, oldest first."""
        ...

    def history(
        self, cluster: str = "*", customer: str = "*", profile: str = "*", limit: int = 1000
    ) -> list[HistoryEntry]:
        """Windows that ended in a publish, the latest first; the words are globs."""
        ...


class LedgerWriter(Protocol):
    """What operators' programs write. Each call is one transaction.

    A move that domain.states does not allow raises RefusedError; staying is a no-op. After each
    move the states above are rolled up, unless an operator's order (pausing, paused, cancelling,
    cancelled) stands there.
    """

    def create_request(self, kind: str, cluster: str, payload: str) -> str:
        """Record a question (JSON) for the cluster's worker; returns its id."""
        ...

    def save_plan(self, plan: Plan) -> str:
        """Keep a plan; returns its id (the same one for an equal plan)."""
        ...

    def create_campaign(self, draft: CampaignDraft, plan: Plan) -> CampaignRecord:
        """Create it with all its tenants, groups and windows, queued. Ids in the plan get the
        final name as their first part (and the cluster as the second one where two clusters of
        the plan have the same database). OverlapError: a campaign that is not final holds one of
        these databases in the dataset and range; RefusedError: the given name is taken."""
        ...

    def move(self, scope: Scope, state: State, note: str = "") -> State:
        """Move a campaign, cluster, tenant or window; returns the state before. Orders go down:
        `pausing`, `paused`, `running` (resume) and `cancelling` to every part that allows it
        (parked parts are cancelled at once); `cancelled`, `parked` and `unknown` to every part
        that is not final yet; `queued` (retry) to what is parked or unknown."""
        ...

    def set_health(
        self, campaign: str, cluster: str, database: str, health: Health, note: str = ""
    ) -> None:
        """How a tenant fares."""
        ...

    def set_limited_by(self, campaign: str, cluster: str, reason: str) -> None:
        """What holds the cluster back right now ('' nothing)."""
        ...

    def set_limits(self, scope: Scope, limits: Mapping[str, int]) -> None:
        """The operator's limits for a campaign, cluster or tenant, over those set before."""
        ...

    def set_guard(self, campaign: str, guard: Guard) -> None:
        """What the operator allows to be removed from now on; `campaign_plan` has it from then."""
        ...

    def recut(
        self,
        campaign: str,
        cluster: str,
        database: str,
        groups: Mapping[str, Sequence[GroupPlan]],
        why: str,
    ) -> None:
        """Put new groups in the place of old ones (by id). Old windows are kept, cancelled and
        marked as replaced; new ones name the window that they were cut from. `campaign_plan` has
        the new ones from then."""
        ...

    def void_verified(self, cluster: str, database: str, within: Interval, reason: str) -> None:
        """What was verified there no longer holds: an undo, a delete, an append."""
        ...

    def note(self, campaign: str, who: str, text: str, database: str = "") -> None:
        """An operator's remark."""
        ...

    def action(
        self, scope: Scope, verb: str, who: str, why: str, before: str = "", after: str = ""
    ) -> None:
        """An operator's order."""
        ...
