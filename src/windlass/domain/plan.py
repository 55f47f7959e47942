"""What an operator asked for, and the plan made from it. Plan and execution read these values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from windlass.domain.dataset import Dataset
from windlass.domain.schema import ColumnPair, Removal
from windlass.domain.states import Mode, Path
from windlass.domain.tenant import Tenant
from windlass.domain.window import Interval


@dataclass(frozen=True)
class Guard:
    """What may be removed without an exclusion that explains it.

    `max_unexplained` is a share of the rows before; `expected` is `{table: rows}` that the
    operator announced (`--expect-removed`); `accept` is `--accept-removal`.
    """

    max_unexplained: float = 0.01
    expected: Mapping[str, int] = field(default_factory=dict)
    accept: bool = False


@dataclass(frozen=True)
class Request:
    """One operator's intent, as parsed. `window` is `auto`, `none` or a span such as `10d`.

    `clusters`, `tenants` and `excepted` are the operator's patterns; `parts` 0 means none asked.
    Tenants that `canary` means begin first, the rest once those are verified; `priority` is
    `(pattern, n)`s, of which the first that means a tenant counts: higher ones begin first.
    """

    dataset: Dataset
    clusters: tuple[str, ...]
    tenants: tuple[str, ...]
    interval: Interval
    mode: Mode = Mode.REPLACE
    window: str = "auto"
    parts: int = 0
    excepted: tuple[str, ...] = ()
    redo: bool = False
    guard: Guard = field(default_factory=Guard)
    canary: tuple[str, ...] = ()
    priority: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Expected:
    """Seconds until all of a window is staged and proven, by what history says; `low` and `high`
    are the band in which four of five such windows ended."""

    seconds: float
    low: float
    high: float


@dataclass(frozen=True)
class WindowPlan:
    """One window: its id, its range, the rows (after exclusions, all tables) it should load, and
    how long that should take (None: no history)."""

    id: str
    interval: Interval
    rows: int
    expected: Expected | None = None


@dataclass(frozen=True)
class TablePlan:
    """How one table of one tenant travels and is published.

    `left_out` are source columns that the target lacks; `create_hash` is the live DDL's;
    `removal` is how stale rows leave on the in-place path; `edge_path` serves partitions that
    the range covers only in part; `promise` says what readers see, `why` why this path; `views`
    are materialized views that read the table, each with what will happen to it; `alternative`
    says what would promise readers more than the edge path does ('' nothing needs to).
    """

    table: str
    columns: tuple[ColumnPair, ...]
    left_out: tuple[str, ...]
    create_hash: str
    edge_path: Path
    removal: Removal
    promise: str
    why: str
    notes: tuple[str, ...] = ()
    views: Mapping[str, str] = field(default_factory=dict)
    alternative: str = ""


@dataclass(frozen=True)
class GroupTable:
    """One table within one group: the path, and the ranges whose partitions lie wholly inside."""

    table: str
    path: Path
    whole: tuple[Interval, ...]


@dataclass(frozen=True)
class GroupPlan:
    """The windows made visible together, in order of time."""

    id: str
    windows: tuple[WindowPlan, ...]
    tables: tuple[GroupTable, ...]

    @property
    def interval(self) -> Interval:
        """From the first window's start to the last one's end."""
        return Interval(self.windows[0].interval.start, self.windows[-1].interval.end)

    @property
    def rows(self) -> int:
        """Rows to load, all tables and windows."""
        return sum(window.rows for window in self.windows)


@dataclass(frozen=True)
class HeldWindow:
    """A window that an earlier campaign verified, and why that does or does not hold now."""

    campaign: str
    interval: Interval
    holds: bool
    reason: str


@dataclass(frozen=True)
class TenantPlan:
    """Everything that will be done for one tenant.

    `rows` is `{table: rows after exclusions}`, `excluded` `{exclusion: {table: rows}}`, `before`
    `{table: live rows}`, `null_time` `{table: source rows without a time}`, all in the range.
    No groups: nothing to do, or all of it held by `held`. `undo_seconds` is how long what whole
    partitions replaced is kept (0: it is not); `rows_basis` is `{table: where its rows come
    from}` (counted, sampled, statistics).
    """

    tenant: Tenant
    rows: Mapping[str, int]
    excluded: Mapping[str, Mapping[str, int]]
    before: Mapping[str, int]
    null_time: Mapping[str, int]
    tables: tuple[TablePlan, ...]
    groups: tuple[GroupPlan, ...]
    held: tuple[HeldWindow, ...] = ()
    estimate_seconds: float | None = None
    estimate_basis: str = "no history"
    notes: tuple[str, ...] = ()
    undo_seconds: float = 0.0
    rows_basis: Mapping[str, str] = field(default_factory=dict)

    @property
    def windows(self) -> tuple[WindowPlan, ...]:
        """All windows, in order of time."""
        return tuple(window for group in self.groups for window in group.windows)

    @property
    def to_remove(self) -> Mapping[str, int]:
        """`{table: live rows beyond those that will be loaded}`, never below zero."""
        return {t: max(0, n - self.rows.get(t, 0)) for t, n in self.before.items()}

    def table(self, name: str) -> TablePlan:
        """The plan of that table."""
        return {table.table: table for table in self.tables}[name]


TARGET_ONLY = "lives only in the target: untouched"


@dataclass(frozen=True)
class Skipped:
    """A tenant that was found and is left out, with the reason."""

    cluster: str
    customer: str
    profile: str
    reason: str

    @property
    def target_only(self) -> bool:
        """Whether this is no tenant of the source, but a database that looks like one's:
        `customer` is its name."""
        return self.reason == TARGET_ONLY


@dataclass(frozen=True)
class ClusterPlan:
    """One cluster's share of a plan. `failure` set: discovery failed, the cluster is unknown.

    `tenants` are in the order in which they begin. `found` is how many tenants discovery found,
    in source or target, counted where they were found (None: by a worker that did not count);
    `servers` a hash of where source and target are ('' not told).
    """

    cluster: str
    tenants: tuple[TenantPlan, ...]
    skipped: tuple[Skipped, ...] = ()
    failure: str = ""
    found: int | None = None
    servers: str = ""


@dataclass(frozen=True)
class Plan:
    """The whole plan. `world` is a hash of definition, servers, tenants, columns and DDL: a saved
    plan whose world has changed is refused."""

    request: Request
    clusters: tuple[ClusterPlan, ...]
    world: str
    made_at: datetime

    @property
    def tenants(self) -> tuple[TenantPlan, ...]:
        """All tenants of all clusters."""
        return tuple(tenant for cluster in self.clusters for tenant in cluster.tenants)

    @property
    def total_rows(self) -> int:
        """Rows to load, after exclusions, all tables."""
        return sum(window.rows for tenant in self.tenants for window in tenant.windows)

    @property
    def total_windows(self) -> int:
        """Windows to run."""
        return sum(len(tenant.windows) for tenant in self.tenants)
