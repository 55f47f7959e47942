"""Guard, publish, settle: what happens to a group once all its windows are staged and proven."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from temporalio import activity

from windlass.domain.attempt import Attempt, Staging
from windlass.domain.plan import Guard
from windlass.domain.record import TIMES
from windlass.domain.results import Digest, Removed
from windlass.domain.states import Mode, Verdict
from windlass.domain.stopwatch import stage, timed
from windlass.domain.undo import Prints
from windlass.engine.activities.desk import Desk, TableJob, stage_excluded
from windlass.engine.activities.keep import Keeper
from windlass.engine.activities.load import total
from windlass.engine.activities.looks import kept
from windlass.engine.activities.moment import Patience
from windlass.engine.activities.settle import Settler, worst
from windlass.engine.activities.watch import Watch, translated
from windlass.engine.payloads import GroupRef, GroupWork, Settled
from windlass.verify.verdict import guard, judge_staged

PUBLISH = "publish"
LOOKUP_KEYS = 100_000
"""Gone keys that no exclusion explains are looked up in the source, up to that many."""


class PublishActivities:
    """Three activities: `guard`, `publish`, `settle`. Each may be run any number of times."""

    def __init__(self, desk: Desk, patience: Patience | None = None) -> None:
        self._desk, self._patience = desk, patience or Patience()
        self._keeper = Keeper(desk)

    @activity.defn(name="guard-removal", no_thread_cancel_exception=True)
    @translated
    def guard(self, work: GroupWork) -> None:
        """Record what is live and what would go; raise RemovalGuardError when that is too much.

        Figures taken before an earlier try began to publish a table stand: what is live now may
        be that try's own work.
        """
        attempt = self._desk.begin_group(work.group, f"{work.group.group}/guard")
        request = self._desk.plan(work.group.tenant.campaign).request
        group = work.group
        with self._desk.watch(attempt, group.tenant) as watch, self._timed(group, attempt, "guard"):
            for job in self._jobs(work):
                removed = self._measure(job, work, attempt, request.mode, watch)
                if request.mode is Mode.REPLACE:
                    self._hold(job, work, removed, request.guard)

    def _hold(self, job: TableJob, work: GroupWork, removed: Removed, limits: Guard) -> None:
        ledger, table, group = self._desk.ledger, job.spec.name, work.group.group
        plan = self._desk.plan(work.group.tenant.campaign)
        others = [g.id for t in plan.tenants for g in t.groups if g.id != group]
        elsewhere = None
        if others and table in limits.expected:
            found = [ledger.removed(other, table) for other in others]
            elsewhere = sum(one.deleted + one.unexplained for one in found if one)
        rows = ledger.table_rows(group, table)
        guard(table, removed, limits, source_rows=rows, elsewhere=elsewhere)

    def _jobs(self, work: GroupWork, *, fresh: bool = False) -> list[TableJob]:
        interval = self._desk.group(work.group).interval
        return self._desk.jobs(work.group, interval, work.loads, fresh=fresh)

    def _measure(
        self, job: TableJob, work: GroupWork, attempt: Attempt, mode: Mode, watch: Watch
    ) -> Removed:
        known = self._desk.ledger.removed(work.group.group, job.spec.name)
        if known and self._desk.ledger.publish_begun(work.group.group, job.spec.name):
            return known
        removed = self._removed(job, work, attempt, mode, watch)
        self._desk.ledger.record_removed(work.group.group, job.spec.name, removed)
        return removed

    def _removed(
        self, job: TableJob, work: GroupWork, attempt: Attempt, mode: Mode, watch: Watch
    ) -> Removed:
        """Count; only where something would go, ask the source what its exclusions keep out."""
        if mode is not Mode.REPLACE:
            (before,) = self._desk.target.count(
                job.live, job.spec.target_time, [job.piece.interval]
            )
            return Removed(before, before, before if mode is Mode.DELETE else 0)
        pairs = job.plan.columns
        bare = self._desk.target.removed(job.live, job.piece, pairs, job.rows, None, attempt)
        watch.pulse(0)
        if not bare.gone:
            return bare
        excluded = stage_excluded(
            self._desk, job.piece, pairs, attempt, work.snapshot.id, watch.pulse
        )
        told = self._desk.target.removed(job.live, job.piece, pairs, job.rows, excluded, attempt)
        return self._look_up(job, told, excluded, attempt)

    def _look_up(
        self, job: TableJob, removed: Removed, excluded: Staging, attempt: Attempt
    ) -> Removed:
        """Tell rows that the source no longer has in the range, and those that it has only since
        the snapshot, from rows without explanation."""
        if not removed.unexplained:
            return removed
        pairs = job.plan.columns
        keys = self._desk.target.gone_keys(
            job.live, job.piece, pairs, job.rows, excluded, LOOKUP_KEYS, attempt
        )
        found = self._desk.source.lookup(job.piece, pairs, keys, attempt)
        # Rows that the source holds by now came after the snapshot: the catch-up brings them.
        come = kept(found).num_rows
        return replace(
            removed,
            gone=removed.gone - come,
            deleted=keys.num_rows - come,
            unexplained=max(0, removed.unexplained - keys.num_rows),
        )

    @activity.defn(name="publish-group", no_thread_cancel_exception=True)
    @translated
    def publish(self, work: GroupWork) -> Mapping[str, Prints] | None:
        """Make every table of the group visible by its path, with a mark before and after.
        Returns how live should look then, by table, where undo will want to know; None is what
        histories of earlier versions hold."""
        attempt = self._desk.begin_group(work.group, work.group.group)
        group = work.group
        with self._desk.watch(attempt, group.tenant) as watch, self._timed(group, attempt, PUBLISH):
            jobs = self._jobs(work, fresh=True)
            with stage("fingerprint"):
                found = {
                    job.spec.name: self._still_as_read(job, work, attempt, watch) for job in jobs
                }
            with stage("keep"):
                self._keeper.before(group, jobs, attempt, watch.pulse)
            with stage(PUBLISH):
                for job in jobs:
                    self._publish_table(job, work, attempt, watch)
        return {name: prints for name, prints in found.items() if prints is not None}

    @contextmanager
    def _timed(self, ref: GroupRef, attempt: Attempt, step: str) -> Iterator[None]:
        """Once it is done: write down how long it took, and where the time went."""
        began = time.monotonic()
        with timed() as stages:
            yield
        facts = {**stages.seconds, "seconds": round(time.monotonic() - began, 3)}
        self._desk.ledger.step_end(ref.group, attempt.number, "", f"{TIMES}{step}", facts)

    def _still_as_read(
        self, job: TableJob, work: GroupWork, attempt: Attempt, watch: Watch
    ) -> Prints | None:
        """No table of the group is published unless all staging holds what was read. Returns how
        live will look, where that is known and wanted."""
        table = job.spec.name
        if self._desk.ledger.publish_begun(work.group.group, table) and job.moves_staging:
            return None
        staged, prints = self._keeper.proofs(work.group, job, attempt, watch.pulse)
        loads = (load for load in work.loads if load.stages(table))
        for load, found in zip(loads, staged, strict=True):
            read = next(r for r in load.reads if r.table == table)
            judge_staged(Digest(read.rows, read.sum), found, where=f"{load.window} {table}")
        return prints

    def _publish_table(
        self, job: TableJob, work: GroupWork, attempt: Attempt, watch: Watch
    ) -> None:
        ledger, table, started = self._desk.ledger, job.spec.name, time.monotonic()
        ledger.step_begin(work.group.group, attempt.number, table, PUBLISH)
        facts: Mapping[str, int | float | str] = self._desk.target.publish(
            job.live,
            job.piece,
            job.plan.columns,
            job.plan,
            job.group,
            job.rows,
            attempt,
            watch.pulse,
            _horizon(work),
        )
        facts = {**facts, "seconds": round(time.monotonic() - started, 3)}
        ledger.step_end(work.group.group, attempt.number, table, PUBLISH, facts)

    @activity.defn(name="settle-group", no_thread_cancel_exception=True)
    @translated
    def settle(self, work: GroupWork) -> Settled:
        """Catch up, judge, sweep, and record what the range holds now. A try that dies between
        sweeping and recording costs another load of the group, never a wrong record.

        What is recorded comes last: from then on the campaign may count as ended. A try whose
        reply was lost finds the record, and is not made again.
        """
        recorded = self._desk.ledger.group_verdict(work.group.group)
        if recorded is not None:
            return Settled(recorded, again=False)
        attempt = self._desk.begin(work.group.tenant.campaign, f"{work.group.group}/settle")
        request = self._desk.plan(work.group.tenant.campaign).request
        group = work.group
        with (
            self._desk.watch(attempt, group.tenant) as watch,
            self._timed(group, attempt, "settle"),
        ):
            settler = Settler(self._desk, work, attempt, request.mode, watch.pulse, self._patience)
            jobs = self._jobs(work)
            outcomes = settler.tables(jobs)
            if any(outcome.again for outcome in outcomes):
                return Settled(Verdict.UNVERIFIED, again=True)
            with stage("keep"):
                known = {one.counts.table for one in outcomes if one.as_staged}
                expected = {t: p for t, p in (work.expected or {}).items() if t in known}
                self._keeper.after(group, jobs, expected, attempt, watch.pulse)
            verdict = worst([outcome.counts.verdict for outcome in outcomes])
            if verdict is Verdict.VERIFIED and request.mode is Mode.REPLACE:
                settler.remember(outcomes)
        self._desk.sweep_group(work.group.group)
        self._desk.ledger.group_done(
            work.group.group, [outcome.counts for outcome in outcomes], verdict, total(work.loads)
        )
        return Settled(verdict, again=False)


def _horizon(work: GroupWork) -> datetime | None:
    """Live rows with later versions may be from transactions that the snapshot has not seen."""
    told = work.snapshot.horizon
    return datetime.fromisoformat(told) if told else None
