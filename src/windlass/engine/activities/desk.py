"""What every activity has at hand: the cluster's ports, and its campaign's plan."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache, partial
from typing import TypeGuard, TypeVar

from windlass.domain import blocks
from windlass.domain.attempt import Attempt, Staging
from windlass.domain.chunks import chunked
from windlass.domain.dataset import Slice, TableSpec
from windlass.domain.errors import (
    GroupOverError,
    LedgersDifferError,
    PlanChangedError,
    WindlassError,
)
from windlass.domain.plan import GroupPlan, GroupTable, Plan, TablePlan, TenantPlan, WindowPlan
from windlass.domain.schema import ColumnPair, TargetTable
from windlass.domain.states import Path
from windlass.domain.window import Interval
from windlass.engine.activities.pace import LOADING, Ceilings, Pace, Paces
from windlass.engine.activities.watch import Watch, beat
from windlass.engine.payloads import GroupRef, Load, TenantRef
from windlass.ports import Clock, Ledger, Pulse, Source, Target

T = TypeVar("T")
Tables = Mapping[tuple[str, str], TargetTable]
"""By database and name."""

KILLED_AT_ONCE, SWEPT_AT_ONCE = 100, 20
"""Attempts between two signs of life: a group may have thousands, and each a table for every one
of the dataset's, which a server may take a while to drop."""

LOOK_AGAIN = 5.0
"""Seconds for which live tables stay as they were described: staging is made by the plan's own
definition, and what changed meanwhile is seen right before publish."""


@dataclass(frozen=True)
class TableJob:
    """One table of one publish group: where it comes from, where it goes, and how."""

    piece: Slice
    plan: TablePlan
    group: GroupTable
    live: TargetTable
    rows: tuple[Staging, ...]

    @property
    def spec(self) -> TableSpec:
        """The table as configured."""
        return self.piece.table

    @property
    def moves_staging(self) -> bool:
        """Whether publishing empties staging, so that a repeat must not expect it full."""
        return self.group.path is Path.APPEND


class Desk:
    """The ports of one cluster, with the few lookups that all activities share.

    `undo_retention` is how long what a publish replaces is kept; zero keeps nothing. `pace` is
    the ceiling for reading, `servers` a hash of where source and target are ('' not told).
    """

    def __init__(
        self,
        cluster: str,
        source: Source,
        target: Target,
        ledger: Ledger,
        clock: Clock,
        undo_retention: timedelta = timedelta(days=7),
        pace: Pace | None = None,
        servers: str = "",
    ) -> None:
        self.cluster, self.source, self.target = cluster, source, target
        self.ledger, self.clock = ledger, clock
        self.undo_retention, self.servers = undo_retention, servers
        self.pace = Paces(pace or Pace(None))
        self._versions: dict[str, int] = {}
        self._seen: dict[tuple[str, ...], tuple[float, Tables]] = {}
        self._plans = lru_cache(maxsize=64)(self._plan)

    def _plan(self, campaign: str, version: int) -> Plan:
        return self.ledger.campaign_plan(campaign)

    def plan(self, campaign: str) -> Plan:
        """The campaign's plan, as it was when somebody last looked for changes."""
        if campaign not in self._versions:
            self.fresh(campaign)
        return self._plans(campaign, self._versions[campaign])

    def fresh(self, campaign: str) -> None:
        """Look whether the plan was changed: windows cut again, more allowed to be removed."""
        self._versions[campaign] = self.ledger.plan_version(campaign)

    def check_ledger(self, theirs: str) -> None:
        """Refuse work that is written down elsewhere. `theirs` is the asker's ledger id."""
        ours = self.ledger.ledger_id()
        if theirs != ours:
            raise LedgersDifferError(
                "worker and command line use different ledgers",
                where=f"worker of cluster {self.cluster}",
                why=f"the worker's is {ours}, the command line's {theirs}",
                next_step="give both the same `ledger:` (postgresql://… for more than one host)",
            )

    def tenant(self, ref: TenantRef) -> TenantPlan:
        """The tenant's plan."""
        return next(
            t
            for t in self.plan(ref.campaign).tenants
            if (t.tenant.cluster, t.tenant.database) == (ref.cluster, ref.database)
        )

    def group(self, ref: GroupRef) -> GroupPlan:
        """The group's plan."""
        found = [g for g in self.tenant(ref.tenant).groups if g.id == ref.group]
        if not found:
            self.fresh(ref.tenant.campaign)
            found = [g for g in self.tenant(ref.tenant).groups if g.id == ref.group]
        return _one(found, ref.group)

    def window(self, ref: GroupRef, window: str) -> WindowPlan:
        """One window's plan."""
        found = [w for w in self.group(ref).windows if w.id == window]
        if not found:
            self.fresh(ref.tenant.campaign)
            found = [w for w in self.group(ref).windows if w.id == window]
        return _one(found, window)

    def begin_group(self, ref: GroupRef, subject: str) -> Attempt:
        """A new attempt at a step of a group that is still to do. A worker that slept may wake
        up with a task that it was given long ago. GroupOverError: it is not to do any more."""
        if self.ledger.over(ref.group):
            raise GroupOverError(
                "the group has come to its end",
                where=subject,
                why="another worker brought it there, or an operator",
                next_step="nothing: this try changes nothing",
            )
        return self.begin(ref.tenant.campaign, subject)

    def begin(self, campaign: str, subject: str) -> Attempt:
        """A new attempt; the one before is killed on both servers and its staging dropped."""
        self.fresh(campaign)
        attempt = Attempt(campaign, subject, self.ledger.begin_attempt(campaign, subject))
        if attempt.number > 1:
            before = Attempt(campaign, subject, attempt.number - 1)
            self.kill(before)
            beat()
            self.target.sweep(before)
        beat()
        return attempt

    def watch(self, attempt: Attempt, ref: TenantRef, window: str = "") -> Watch:
        """A watch over this attempt; rows it sees become the window's progress."""

        def note(rows: int) -> None:
            if window:
                self.ledger.progress(window, attempt.number, rows)

        def troubled(error: WindlassError) -> None:
            # What the ledger itself has to say now must not hide the error.
            with suppress(WindlassError):
                self.trouble(ref, attempt.subject, str(error))

        told = partial(
            self.ledger.cancelling, ref.campaign, ref.cluster, ref.database, attempt.subject
        )
        over = partial(self.ledger.overtaken, attempt)
        if window:
            look = partial(self.ledger.paces, ref.campaign, ref.cluster, ref.database)
            size = partial(self.ledger.blocks, ref.cluster, ref.database)
            ceilings = Ceilings(look, blocks=size)
            LOADING.set(ceilings)
            blocks.follow(ceilings.divisor)
        return Watch(self, attempt, told, note, troubled, over)

    def trouble(self, ref: TenantRef, subject: str, text: str) -> None:
        """Write down what failed and is tried again."""
        self.ledger.trouble(ref.campaign, ref.cluster, ref.database, subject, text)

    def running(self, attempt: Attempt) -> int:
        """Statements of the attempt listed by either server."""
        return self.target.running(attempt.tag) or self.source.running(attempt)

    def kill(self, *attempts: Attempt) -> int:
        """End what runs of them on both servers; returns only when neither lists any."""
        killed = 0
        for some in chunked(attempts, KILLED_AT_ONCE):
            beat()
            killed += self.target.kill(*(one.tag for one in some)) + self.source.kill(*some)
        return killed

    def sweep(self, attempt: Attempt) -> None:
        """Drop the attempt's staging."""
        self.swept(attempt)

    def swept(self, *attempts: Attempt) -> int:
        """Drop the attempts' staging; how many tables it was."""
        swept = 0
        for some in chunked(attempts, SWEPT_AT_ONCE):
            beat()
            swept += self.target.sweep(*some)
        return swept

    def sweep_group(self, group: str) -> None:
        """Drop the staging of every attempt at the group, its windows and its steps; whatever of
        them sleeps somewhere finds itself overtaken when it wakes up."""
        self.swept(*self.ledger.retire(group))

    def pieces(self, ref: GroupRef, interval: Interval) -> list[tuple[Slice, Sequence[ColumnPair]]]:
        """What of each table lies in that interval, and its columns, in the dataset's order."""
        dataset, tenant = self.plan(ref.tenant.campaign).request.dataset, self.tenant(ref.tenant)
        return [
            (Slice(dataset, spec, tenant.tenant, interval), tenant.table(spec.name).columns)
            for spec in dataset.tables
        ]

    def jobs(
        self, ref: GroupRef, interval: Interval, loads: Sequence[Load], *, fresh: bool = False
    ) -> list[TableJob]:
        """The tables of the group over that interval, in the dataset's order. `fresh`: the live
        tables are looked at now, rather than a moment ago."""
        tenant, group = self.tenant(ref.tenant), self.group(ref)
        pieces = [piece for piece, _ in self.pieces(ref, interval)]
        lives = self._lives(tenant, [piece.table for piece in pieces], fresh=fresh)
        return [
            TableJob(
                piece=piece,
                plan=tenant.table(spec.name),
                group=next(t for t in group.tables if t.table == spec.name),
                live=lives[spec.name],
                rows=tuple(staging(ref, one, spec) for one in loads if one.stages(spec.name)),
            )
            for piece in pieces
            for spec in [piece.table]
        ]

    def _lives(
        self, tenant: TenantPlan, specs: Sequence[TableSpec], *, fresh: bool
    ) -> dict[str, TargetTable]:
        """The live tables as they are, which is as they were planned. What differs is looked at
        again: it may have been planned since the last look."""
        database = tenant.tenant.database
        names = [spec.name for spec in specs]
        found = self._looked_at(database, names, fresh=fresh)
        if not all(_is_planned(found.get((database, name)), tenant, name) for name in names):
            found = self._looked_at(database, names, fresh=True)
        return {name: _as_planned(found.get((database, name)), tenant, name) for name in names}

    def _looked_at(self, database: str, names: Sequence[str], *, fresh: bool) -> Tables:
        """The tables, as they are now or were a moment ago."""
        key, now = (database, *names), time.monotonic()
        at, found = self._seen.get(key, (-LOOK_AGAIN, {}))
        if fresh or now - at > LOOK_AGAIN:
            found = self.target.describe_all([database], names)
            beat()
            self._seen[key] = (now, found)
        return found


def _is_planned(live: TargetTable | None, tenant: TenantPlan, name: str) -> TypeGuard[TargetTable]:
    """Whether that table is there, as it was planned."""
    return live is not None and live.create_hash == tenant.table(name).create_hash


def _as_planned(live: TargetTable | None, tenant: TenantPlan, name: str) -> TargetTable:
    if not _is_planned(live, tenant, name):
        raise PlanChangedError(
            f"the target table {'changed its definition' if live else 'is gone'} since the plan",
            where=f"{tenant.tenant.database}.{name}",
            next_step="plan and run again",
        )
    return live


def _one(found: Sequence[T], name: str) -> T:
    """The one that was looked for. GroupOverError: an operator had it cut again."""
    if not found:
        raise GroupOverError("it was cut again", where=name, next_step="nothing: its pieces go on")
    return found[0]


def staging(ref: GroupRef, load: Load, spec: TableSpec) -> Staging:
    """Where that load put that table's rows."""
    attempt = Attempt(ref.tenant.campaign, load.window, load.attempt)
    return Staging(attempt, spec.name, database=ref.tenant.database)


def stage_excluded(
    desk: Desk,
    piece: Slice,
    pairs: Sequence[ColumnPair],
    attempt: Attempt,
    snapshot: str | None,
    pulse: Pulse,
) -> Staging:
    """Bring the keys that exclusions keep out to the target, where they are held against what
    is live."""
    kept_out = Staging(attempt, piece.table.name, "gone", database=piece.tenant.database)
    desk.target.stage_excluded(kept_out, piece.table.key)
    with desk.source.read_excluded(piece, pairs, attempt, snapshot) as batches:
        desk.target.insert(kept_out, batches, pulse)
    return kept_out
