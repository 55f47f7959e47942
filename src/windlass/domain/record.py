"""What the ledger remembers, as values to read: campaigns, tenants, windows, events, facts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from windlass.domain.plan import Guard, Plan, Skipped
from windlass.domain.results import TableCounts
from windlass.domain.states import Health, Mode, State, Verdict
from windlass.domain.undo import GroupUndo
from windlass.domain.window import Interval


@dataclass(frozen=True)
class Scope:
    """What an order or a state is about: a campaign, or one cluster, tenant or window of it.

    A tenant is named by cluster and database; a window's id is enough for a window.
    """

    campaign: str
    cluster: str = ""
    database: str = ""
    window: str = ""

    def __str__(self) -> str:
        return self.window or "/".join(
            part for part in (self.campaign, self.cluster, self.database) if part
        )


@dataclass(frozen=True)
class CampaignDraft:
    """What a campaign is created from, beside its plan.

    `name` None takes `default_name`, with `-2`, `-3`, … where that is taken; `command` is the
    command line as typed, `who` user@host, `plan_id` the saved plan's id ('' for none).
    """

    name: str | None
    default_name: str
    who: str
    reason: str = ""
    command: str = ""
    plan_id: str = ""
    supersedes: str = ""


@dataclass(frozen=True)
class CampaignRecord:
    """One operator's intent, as it stands now. `who` is user@host."""

    name: str
    dataset: str
    definition_hash: str
    mode: Mode
    interval: Interval
    clusters: tuple[str, ...]
    tenants: tuple[str, ...]
    reason: str
    who: str
    command: str
    plan_id: str
    supersedes: str
    guard: Guard
    state: State
    note: str
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class WindowView:
    """One window. `rows` are those loaded so far, `seconds` its time at work so far (None before
    it starts), `parent` the window that it was cut from, `replaced` that it was cut itself,
    `undone_at` when its publish group was undone, `loaded_at` when all of it was staged and
    proven."""

    id: str
    campaign: str
    cluster: str
    database: str
    group: str
    interval: Interval
    state: State
    verdict: Verdict | None
    attempts: int
    rows_planned: int
    rows: int
    seconds: float | None
    started_at: datetime | None
    ended_at: datetime | None
    parent: str = ""
    note: str = ""
    replaced: bool = False
    undone_at: datetime | None = None
    loaded_at: datetime | None = None


@dataclass(frozen=True)
class TenantView:
    """One tenant of a campaign. `attempts` is the highest of its windows', `verdict` the worst
    (None: none has one); `canary` and `priority` say when it begins."""

    cluster: str
    customer: str
    profile: str
    database: str
    state: State
    health: Health
    note: str
    windows_total: int
    windows_done: int
    attempts: int
    rows_planned: int
    rows_loaded: int
    estimate_seconds: float | None
    started_at: datetime | None
    ended_at: datetime | None
    windows: tuple[WindowView, ...] = ()
    verdict: Verdict | None = None
    canary: bool = False
    priority: int = 0


@dataclass(frozen=True)
class ClusterView:
    """One cluster's share of a campaign; `limited_by` says what holds it back ('' nothing),
    `found` how many tenants discovery found there (None: nobody wrote it down)."""

    name: str
    state: State
    note: str
    limited_by: str
    tenants_total: int
    tenants_done: int
    tenants: tuple[TenantView, ...]
    found: int | None = None


@dataclass(frozen=True)
class StatusView:
    """What `windlass status` shows. Rates are rows a second: over the last ten seconds while
    running, over all its time once ended. `verdict` is the worst of its windows' (None: none).
    `undone_at` is when something of it was undone last, whatever its state. `supersedes` and
    `superseded_by` are the campaigns before and after it ('' none)."""

    campaign: str
    dataset: str
    mode: Mode
    interval: Interval
    reason: str
    state: State
    note: str
    verdict: Verdict | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    eta_seconds: float | None
    limited_by: str
    rows_planned: int
    rows_loaded: int
    rows_per_second: float
    windows_total: int
    windows_done: int
    clusters: tuple[ClusterView, ...]
    skipped: tuple[Skipped, ...] = ()
    undone_at: datetime | None = None
    windows_undone: int = 0
    supersedes: str = ""
    superseded_by: str = ""

    @property
    def tenants(self) -> tuple[TenantView, ...]:
        """All tenants of all clusters."""
        return tuple(tenant for cluster in self.clusters for tenant in cluster.tenants)


@dataclass(frozen=True)
class GroupCounts:
    """One table's figures of one publish group."""

    cluster: str
    database: str
    group: str
    interval: Interval
    counts: TableCounts


TIMES = "time "
"""What the names of those steps begin with whose facts are seconds per stage."""


@dataclass(frozen=True)
class StepRecord:
    """A publish step: begun, and ended if `ended_at`; `facts` are the markers and measures."""

    group: str
    attempt: int
    table: str
    step: str
    begun_at: datetime
    ended_at: datetime | None = None
    facts: Mapping[str, int | float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """A problem met and what was done about it, or another turn worth telling; `subject` is a
    window's or group's id ('' none)."""

    campaign: str
    kind: str
    text: str
    at: datetime
    cluster: str = ""
    database: str = ""
    subject: str = ""


@dataclass(frozen=True)
class Note:
    """What an operator wrote down; `database` '' is about the whole campaign."""

    campaign: str
    who: str
    text: str
    at: datetime
    database: str = ""


@dataclass(frozen=True)
class Action:
    """An operator's order, with who and why, and the state before and after."""

    scope: Scope
    verb: str
    who: str
    why: str
    before: str
    after: str
    at: datetime


@dataclass(frozen=True)
class Query:
    """A query that reproduces a figure; `server` is source or target."""

    campaign: str
    database: str
    table: str
    purpose: str
    server: str
    sql: str


@dataclass(frozen=True)
class HistoryEntry:
    """A window that some campaign ended: `rows` in `seconds`; `undone` when it was put back."""

    campaign: str
    dataset: str
    mode: Mode
    cluster: str
    customer: str
    profile: str
    database: str
    interval: Interval
    rows: int
    seconds: float
    verdict: Verdict | None
    ended_at: datetime
    undone: bool = False

    @property
    def rows_per_second(self) -> float:
        """Its rate, 0 where it took no time."""
        return self.rows / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True)
class CampaignFacts:
    """Everything that a report is written from. The status carries every tenant's windows."""

    ledger_id: str
    campaign: CampaignRecord
    plan: Plan
    status: StatusView
    counts: tuple[GroupCounts, ...]
    steps: tuple[StepRecord, ...]
    events: tuple[Event, ...]
    notes: tuple[Note, ...]
    actions: tuple[Action, ...]
    queries: tuple[Query, ...]
    undo: tuple[GroupUndo, ...] = ()
