"""The durable record, as the engine needs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from windlass.domain.attempt import Attempt
from windlass.domain.errors import WindlassError
from windlass.domain.plan import Plan
from windlass.domain.results import Removed, TableCounts, TableLoad
from windlass.domain.states import State, Verdict
from windlass.domain.window import Interval
from windlass.ports.checks import CheckLedger
from windlass.ports.control import ControlLedger
from windlass.ports.fences import FenceLedger
from windlass.ports.undo import UndoLedger


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


class Ledger(UndoLedger, CheckLedger, FenceLedger, ControlLedger, Protocol):
    """What the engine's activities need of the durable record. Each call is one transaction and
    safe to repeat."""

    def ledger_id(self) -> str:
        """This ledger's own UUID."""
        ...

    # requests: an operator's question, answered by a cluster's worker
    def request(self, request: str, attempt: int = 1) -> tuple[str, str]:
        """(kind, payload JSON) of a request, which is taken up at that try."""
        ...

    def finish_request(self, request: str, answer: str, attempt: int = 1) -> None:
        """The answer's JSON; nothing when a later try took the request up."""
        ...

    def fail_request(self, request: str, error: WindlassError, attempt: int = 1) -> None:
        """The error, so that the CLI can raise it again (class name, what, where, why, next);
        nothing when a later try took the request up."""
        ...

    # campaigns
    def campaign_plan(self, campaign: str) -> Plan:
        """The plan of the campaign, its ids starting with the campaign's name. KeyError: none."""
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

    def window_loaded(self, window: str, rows: int, tables: Sequence[TableLoad] = ()) -> None:
        """All tables staged and proven (still running: not yet visible); repeating replaces."""
        ...

    def table_rows(self, group: str, table: str) -> int:
        """Rows staged for that table over all windows of the group (window_loaded)."""
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

    def group_verdict(self, group: str) -> Verdict | None:
        """What `group_done` recorded, while every window of the group still stands as done."""
        ...

    def group_parked(self, group: str, note: str) -> None:
        """Every unfinished window of the group parked with that note, and an event."""
        ...

    def event(
        self, campaign: str, cluster: str, database: str, subject: str, kind: str, text: str
    ) -> None:
        """A problem met, or what was done about it."""
        ...

    def trouble(self, campaign: str, cluster: str, database: str, subject: str, text: str) -> None:
        """What failed and is tried again: an event, and the tenant's note until work goes on."""
        ...

    def query(
        self, campaign: str, database: str, table: str, purpose: str, server: str, sql: str
    ) -> None:
        """A query that reproduces a figure; repeating replaces."""
        ...

    # what holds
    def record_verified(
        self, definition: str, windows: Mapping[str, Mapping[str, HeldCounts]]
    ) -> None:
        """The windows' ranges are verified under that definition, each with what its tables hold;
        older records that they cover are superseded."""
        ...

    def verified(
        self, dataset: str, cluster: str, database: str, interval: Interval
    ) -> list[HeldRecord]:
        """Verified windows that overlap the interval, newest first."""
        ...

    def past(self, dataset: str, cluster: str) -> Mapping[str, Sequence[tuple[int, float]]]:
        """`{database: (rows, seconds) of windows that it loaded, the latest first}`."""
        ...

    def rate(self, cluster: str, database: str) -> tuple[float, str] | None:
        """(rows per second, basis) from finished windows: this tenant's, else the cluster's;
        None without history."""
        ...
