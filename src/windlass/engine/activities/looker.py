"""Looking at the tenants' tables on both servers for a plan, each table once."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TypeVar

from windlass.domain.attempt import Attempt
from windlass.domain.dataset import Slice
from windlass.domain.errors import PlanError
from windlass.domain.plan import HeldWindow
from windlass.domain.results import Evidence, SliceCount, Tally
from windlass.domain.schema import ColumnPair, TargetTable
from windlass.domain.states import Mode
from windlass.domain.tenant import Tenant
from windlass.domain.window import Interval
from windlass.engine.activities.desk import Desk
from windlass.planner import windows
from windlass.ports import Ask, Counting, HeldRecord, Pulse

A = TypeVar("A")
B = TypeVar("B")

LANES = 2
"""Statements at once on each server."""
PATIENCE = 15.0
"""Seconds that counting one table of one tenant may take, before it is estimated."""
BUDGET = 60.0
"""Seconds after which a survey has no such patience left, and gives each table HURRY."""
HURRY = 1.0


@dataclass(frozen=True)
class TableJob:
    """One table of one tenant, on both sides."""

    piece: Slice
    live: TargetTable
    pairs: tuple[ColumnPair, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class Held:
    """A verified window on record, and why it holds no more without looking ('' it may)."""

    record: HeldRecord
    void: str


@dataclass(frozen=True)
class TenantJob:
    """One tenant: its tables, and what earlier campaigns verified in the range."""

    tenant: Tenant
    tables: tuple[TableJob, ...]
    held: tuple[Held, ...]

    @property
    def marks(self) -> list[Interval]:
        """Ranges to count by themselves: of what may still hold."""
        return [one.record.interval for one in self.held if not one.void]


@dataclass(frozen=True)
class Sighting:
    """What both servers say of a table; `live_marks` logical live rows of each mark, `whole` as
    in `Target.whole_ranges`, `found` as in `Target.examine`."""

    tally: Tally
    before: int
    live_marks: tuple[int, ...]
    whole: tuple[Interval, ...] | None
    found: tuple[str, ...]


@dataclass(frozen=True)
class _Live:
    """The target's share of a sighting."""

    counts: tuple[int, ...]
    whole: tuple[Interval, ...] | None


Whole = tuple[Interval, ...] | None


@dataclass(frozen=True)
class Looker:
    """Looks at all tables of all tenants, as the attempt."""

    desk: Desk
    attempt: Attempt
    pulse: Pulse
    mode: Mode
    began: float = field(default_factory=time.monotonic)
    _whole: dict[tuple[str, ...], Whole] = field(default_factory=dict)

    def look(self, jobs: Sequence[TenantJob]) -> list[list[Sighting]]:
        """A sighting of each table of each tenant. PlanError: rows are not ours, or hidden."""
        tables = [(job, table) for job in jobs for table in job.tables]
        with ThreadPoolExecutor(2 * LANES, "survey") as pool:
            tallies = _spread(pool, jobs, self._counted)
            lives = _spread(pool, tables, self._seen)
            hints = iter(self._examined([table for _, table in tables]))
            counted, seen = tallies(), iter(lives())
        return [
            [_sighting(tally, next(seen), next(hints)) for tally in of_tenant]
            for of_tenant in counted
        ]

    def _counted(self, jobs: Sequence[TenantJob]) -> list[list[Tally]]:
        with self.desk.source.counting(self.attempt) as counting:
            return [self._tallies(counting, job) for job in jobs]

    def _tallies(self, counting: Counting, job: TenantJob) -> list[Tally]:
        self.pulse(0)
        slices = [table.piece for table in job.tables]
        left = BUDGET - (time.monotonic() - self.began)
        step = windows.step_for(slices[0].interval)
        found = counting.tallies(slices, step, job.marks, max(HURRY, min(PATIENCE, left)))
        return [self._proven(one, piece, job) for one, piece in zip(found, slices, strict=True)]

    def _proven(self, tally: Tally, piece: Slice, job: TenantJob) -> Tally:
        """What may still hold is counted in any case, however long that takes."""
        if tally.evidence is Evidence.COUNTED:
            return tally
        counts = [self._count(replace(piece, interval=mark)) for mark in job.marks]
        return replace(tally, marks=tuple(counts))

    def _count(self, piece: Slice) -> SliceCount:
        self.pulse(0)
        return self.desk.source.count(piece, (), self.attempt, None)

    def _seen(self, tables: Sequence[tuple[TenantJob, TableJob]]) -> list[_Live]:
        self.pulse(0)
        asks = [Ask(table.live, table.piece, job.marks) for job, table in tables]
        found = self.desk.target.census(asks, self.attempt)
        return [self._live(ask, *one) for ask, one in zip(asks, found, strict=True)]

    def _live(self, ask: Ask, counts: Sequence[int], foreign: int) -> _Live:
        if foreign and self.mode is not Mode.APPEND:
            raise PlanError(
                f"{foreign:,} live rows in the range belong to another tenant",
                where=f"{ask.live.database}.{ask.live.name}",
                why="a rebuild would remove them",
                next_step="move them to their own database, or correct `database:`",
            )
        return _Live(tuple(counts), self._whole_of(ask.live, ask.piece))

    def _examined(self, tables: Sequence[TableJob]) -> list[list[str]]:
        asked = [(table.live, table.piece.table.target_time) for table in tables]
        if not asked:
            return []
        return self.desk.target.examine(asked, tables[0].piece.interval)

    def _whole_of(self, live: TargetTable, piece: Slice) -> Whole:
        """Asked once of all tables that are partitioned alike."""
        column = live.column(piece.table.target_time)
        shards = live.shards.cluster if live.shards else ""
        key = (live.partition_key, piece.table.target_time, column.type if column else "", shards)
        if key not in self._whole:
            found = self.desk.target.whole_ranges(live, piece.table.target_time, piece.interval)
            self._whole[key] = None if found is None else tuple(found)
        return self._whole[key]


def still_held(job: TenantJob, seen: Sequence[Sighting]) -> tuple[HeldWindow, ...]:
    """What earlier campaigns verified in the range, and whether each still holds."""
    marked = iter(range(len(job.marks)))
    judged = [
        (one.record, one.void or _stale(one.record, job, seen, next(marked))) for one in job.held
    ]
    return tuple(
        HeldWindow(r.campaign, r.interval, not why, why or "unchanged on both sides")
        for r, why in judged
    )


def _stale(record: HeldRecord, job: TenantJob, seen: Sequence[Sighting], mark: int) -> str:
    """Why a verified window no longer holds; '' when it does."""
    for table, sight in zip(job.tables, seen, strict=True):
        name = table.piece.table.name
        held, now, live = record.tables.get(name), sight.tally.marks[mark], sight.live_marks[mark]
        if held is None or (now.kept, now.max_version) != (held.source_rows, held.max_version):
            return f"the source of {name} changed since"
        if live != held.live_rows:
            return f"live {name} holds {live:,} rows, {held.live_rows:,} then"
    return ""


def _sighting(tally: Tally, live: _Live, hints: Sequence[str]) -> Sighting:
    before, *marks = live.counts
    return Sighting(tally, before, tuple(marks), live.whole, tuple(hints))


def _spread(
    pool: ThreadPoolExecutor, items: Sequence[A], work: Callable[[Sequence[A]], list[B]]
) -> Callable[[], list[B]]:
    """Give every lane each so-manieth item; the result awaits them, in the items' order."""
    lanes = [items[n::LANES] for n in range(LANES) if items[n::LANES]]
    begun = [pool.submit(work, lane) for lane in lanes]

    def results() -> list[B]:
        found: list[B | None] = [None] * len(items)
        for n, future in enumerate(begun):
            found[n::LANES] = future.result()
        return [one for one in found if one is not None]

    return results
