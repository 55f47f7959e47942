"""The record of verifications: what was found equal so far, and those that run by themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from windlass.domain.results import TableVerification
from windlass.domain.states import Verdict
from windlass.domain.window import Interval


@dataclass(frozen=True)
class EqualPart:
    """A stretch of a table that was found equal, at that source snapshot."""

    interval: Interval
    source_rows: int
    target_rows: int
    snapshot: datetime


@dataclass(frozen=True)
class CheckSchedule:
    """A verification that one cluster's worker runs every `every`; `question` is what it asks
    (JSON of the engine's Question), `command` how to see the same with own eyes."""

    name: str
    cluster: str
    question: str
    every: timedelta
    who: str
    command: str


@dataclass(frozen=True)
class CheckRun:
    """One run of a schedule: its seed, and how it ended (`verdict` None: it has not, or failed
    with `error`)."""

    schedule: str
    cluster: str
    request: str
    seed: str
    begun_at: datetime
    ended_at: datetime | None = None
    verdict: Verdict | None = None
    error: str = ""
    tables: tuple[TableVerification, ...] = ()


class CheckLedger(Protocol):
    """What the engine keeps of verifications. Each call is one transaction, safe to repeat."""

    def part_equal(self, request: str, database: str, table: str, part: EqualPart) -> None:
        """That part of the table was found equal."""
        ...

    def equal_parts(self, request: str, database: str, table: str) -> list[EqualPart]:
        """The parts of the table that were found equal, in order."""
        ...

    def table_checked(self, request: str, outcome: TableVerification) -> None:
        """The table is done."""
        ...

    def checked_tables(self, request: str) -> list[TableVerification]:
        """The tables that are done."""
        ...

    def begin_check(self, schedule: str, cluster: str, token: str) -> str:
        """The request of the schedule's next run, its seed drawn from `token`; the same request
        for the same token. UsageError: no such schedule."""
        ...


class CheckOperator(Protocol):
    """What operators do with scheduled verifications."""

    def save_check(self, schedule: CheckSchedule) -> None:
        """Keep it. RefusedError: the name is taken on that cluster."""
        ...

    def end_check(self, name: str, cluster: str) -> None:
        """It runs no more; its runs stay on record."""
        ...

    def checks(self) -> list[CheckSchedule]:
        """Schedules that run, by name."""
        ...

    def check_runs(self, name: str, cluster: str, limit: int = 1) -> Sequence[CheckRun]:
        """Its runs, the latest first."""
        ...
