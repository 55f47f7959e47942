"""How the servers fare, and what the ledger must know and keep for steering by it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from windlass.domain.health import Course, Reading
from windlass.domain.record import Scope
from windlass.domain.states import Health


class HealthySource(Protocol):
    """A source that can be asked how it fares."""

    def health(self) -> list[Reading]:
        """`postgres_replica_lag`, `postgres_active_queries` (others' than ours),
        `postgres_lock_waits`, `postgres_latency` (of a statement of ours): in a few milliseconds.
        What this server does not tell is left out."""
        ...


class HealthyTarget(Protocol):
    """A target that can be asked how it fares."""

    def health(self, tables: Sequence[tuple[str, str]]) -> list[Reading]:
        """`clickhouse_parts` (active ones of one partition, the most), `clickhouse_mutations`
        (unfinished) and `clickhouse_replica_delay` of these tables (database, table) and of ours
        in staging; `clickhouse_merges`, `clickhouse_memory` (share), `clickhouse_insert` (seconds
        that the slowest of our latest blocks took): in a few milliseconds. What this server does
        not tell is left out. Of several servers, each reading is the worst one's."""
        ...


@dataclass(frozen=True)
class Sight:
    """A window that is being loaded. `rows` are those moved by this attempt until `seen_at`,
    `recent` its rows a second lately (None: too early to tell), `begun_at` when the attempt
    began; `length` is that of its range, in seconds."""

    campaign: str
    database: str
    group: str
    window: str
    attempts: int
    rows_planned: int
    rows: int
    begun_at: datetime
    seen_at: datetime
    recent: float | None
    health: Health
    length: float


@dataclass(frozen=True)
class AtWork:
    """What goes on on a cluster: campaigns that have not ended, databases of tenants at work by
    campaign, windows that are being loaded. `opened` are campaigns whose canaries, wherever they
    are, are all verified."""

    campaigns: tuple[str, ...] = ()
    databases: tuple[tuple[str, str], ...] = ()
    windows: tuple[Sight, ...] = ()
    opened: tuple[str, ...] = ()


class HealthLedger(Protocol):
    """What steering needs of the record."""

    def govern(self, cluster: str, holder: str, seconds: float) -> tuple[bool, Course | None]:
        """Take or keep the cluster's helm for so many seconds: whether it is `holder`'s, and the
        course that holds (None: none was set)."""
        ...

    def set_course(self, cluster: str, course: Course) -> None:
        """From now on; `orders`, `paces` and `blocks` tell it. It is void once nobody is at the
        helm."""
        ...

    def at_work(self, cluster: str) -> AtWork:
        """What goes on there now (cheap: asked every other second)."""
        ...

    def paces(self, campaign: str, cluster: str, database: str) -> Mapping[str, int]:
        """See ControlLedger."""
        ...

    def stop_failing(self, campaign: str) -> str:
        """Pause the campaign where more than half of its windows that have ended are parked, of
        twenty at least; once only, so that a person who resumes it is heard. Why, or '' (it goes
        on)."""
        ...

    def show_limit(self, campaign: str, cluster: str, reason: str) -> None:
        """What holds the cluster back; with '' an operator's limit shows again."""
        ...

    def event(
        self, campaign: str, cluster: str, database: str, subject: str, kind: str, text: str
    ) -> None:
        """A problem met, or what was done about it."""
        ...

    def action(
        self, scope: Scope, verb: str, who: str, why: str, before: str = "", after: str = ""
    ) -> None:
        """What was done, by whom, on what evidence, from and to."""
        ...

    def set_health(
        self, campaign: str, cluster: str, database: str, health: Health, note: str = ""
    ) -> None:
        """How a tenant fares."""
        ...
