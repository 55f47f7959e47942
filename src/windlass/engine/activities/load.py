"""Loading one window into staging of its own, and proving that staging holds what was read."""

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio import activity

from windlass.domain import blocks
from windlass.domain.attempt import Attempt
from windlass.domain.dataset import Slice
from windlass.domain.errors import MismatchError
from windlass.domain.results import Digest, SliceCount, TableLoad
from windlass.domain.states import Mode
from windlass.domain.stopwatch import stage, timed
from windlass.domain.window import Interval
from windlass.engine.activities.desk import Desk, TableJob
from windlass.engine.activities.watch import Watch, translated
from windlass.engine.payloads import Load, LoadInput, Read
from windlass.ports import RunningDigest
from windlass.verify.verdict import judge_hazards, judge_read

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLE_ROWS = 2_000
"""Rows of each window and table whose MD5 PostgreSQL computes itself."""


Counts = Mapping[str, SliceCount]
"""By table, in the dataset's order."""


@dataclass(frozen=True)
class _Done(TableLoad):
    """A table's load, with the fingerprint and the highest version of what was read."""

    sum: str = field(default="0", kw_only=True)
    version: str | None = field(default=None, kw_only=True)

    @property
    def read(self) -> Read:
        """What those who publish it are told."""
        return Read(self.table, self.rows, self.sum, self.version)


class LoadActivities:
    """One activity: `load`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @activity.defn(name="load-window", no_thread_cancel_exception=True)
    @translated
    def load(self, order: LoadInput) -> Load:
        """Stage every table of the window from the snapshot; each try owns its own staging."""
        tenant = order.group.tenant
        window = self._desk.window(order.group, order.window)
        attempt = self._desk.begin_group(order.group, order.window)
        self._desk.ledger.window_started(order.window, attempt.number)
        load = Load(order.window, attempt.number)
        with self._desk.watch(attempt, tenant, order.window) as watch:
            counts, taken = self._counted(order, window.interval, attempt)
            watch.pulse(0)
            done = self._tables(order, window.interval, load, counts, attempt, watch)
        first = replace(done[0], seconds=done[0].seconds + taken)
        done[0] = replace(first, stages={**first.stages, "count": round(taken, 3)})
        self._desk.ledger.window_loaded(order.window, sum(one.rows for one in done), done)
        return replace(load, reads=tuple(one.read for one in done))

    def _counted(
        self, order: LoadInput, interval: Interval, attempt: Attempt
    ) -> tuple[Counts, float]:
        """What the snapshot holds of each table, by its own count; and how long that took."""
        began = time.monotonic()
        pieces = self._desk.pieces(order.group, interval)
        names = [piece.table.name for piece, _ in pieces]
        if self._desk.plan(order.group.tenant.campaign).request.mode is Mode.DELETE:
            return dict.fromkeys(names, SliceCount(0)), 0.0
        found = self._desk.source.count_all(pieces, attempt, order.snapshot.id)
        for name, count in zip(names, found, strict=True):
            judge_hazards(count, where=f"{attempt.subject} {name}")
        return dict(zip(names, found, strict=True)), time.monotonic() - began

    def _tables(
        self,
        order: LoadInput,
        interval: Interval,
        load: Load,
        counts: Counts,
        attempt: Attempt,
        watch: Watch,
    ) -> list[_Done]:
        """Every table, where there is anything to stage: without rows the target is not asked."""
        if not any(count.kept for count in counts.values()):
            return [_Done(name, 0) for name in counts]
        jobs = self._desk.jobs(order.group, interval, [load])
        snapshot = order.snapshot.id
        return [self._table(job, counts[job.spec.name], attempt, snapshot, watch) for job in jobs]

    def _table(
        self, job: TableJob, count: SliceCount, attempt: Attempt, snapshot: str, watch: Watch
    ) -> _Done:
        """Stage one table."""
        began = time.monotonic()
        with timed() as stages:
            read = self._move(job, count, attempt, snapshot, watch) if count.kept else Digest(0)
        taken = time.monotonic() - began
        seconds, version = stages.seconds, count.max_version
        return _Done(job.spec.name, read.rows, taken, seconds, sum=read.sum, version=version)

    def _move(
        self, job: TableJob, count: SliceCount, attempt: Attempt, snapshot: str, watch: Watch
    ) -> Digest:
        """Stream, count again. What staging holds is compared right before publish."""
        self._desk.target.stage(job.live, job.rows[0])
        watch.pulse(0)
        with stage("stream"):
            read = self._stream(job, attempt, snapshot, watch)
        staged = self._desk.target.staged_rows(job.rows[0])
        judge_read(count, read, staged, where=f"{attempt.subject} {job.spec.name}")
        watch.pulse(0)
        with stage("sample"):
            self._sample(job, attempt, snapshot, count)
        watch.pulse(0)
        return read

    def _stream(self, job: TableJob, attempt: Attempt, snapshot: str, watch: Watch) -> Digest:
        """From PostgreSQL through the hash into staging."""
        digest = self._desk.target.digester(job.plan.columns)
        with self._desk.source.read(job.piece, job.plan.columns, attempt, snapshot) as batches:
            passing = self._paced(hashed(batches, digest), watch)
            self._desk.target.insert(job.rows[0], passing, watch.pulse)
        with stage("fingerprint"):
            return digest.result()

    def _paced(
        self, batches: Iterator["pa.RecordBatch"], watch: Watch
    ) -> Iterator["pa.RecordBatch"]:
        """A second's worth at a time: a server that waits longer for the next rows hangs up. And
        no more than a block holds now, which may have become less since the batch was read."""
        pace = self._desk.pace
        for batch in batches:
            most = (pace.per_second(), blocks.rows(batch.num_rows, batch.nbytes))
            for piece in pieces(batch, min((n for n in most if n), default=None)):
                yield piece
                pace.read(piece.num_rows, lambda: watch.pulse(0))

    def _sample(self, job: TableJob, attempt: Attempt, snapshot: str, count: SliceCount) -> None:
        """Compare a seeded stretch of time by PostgreSQL's own MD5: the one check that does not
        share the driver with what it checks."""
        part = stretch(job.piece, count.kept, attempt.campaign)
        piece, pairs = replace(job.piece, interval=part), job.plan.columns
        (expected,) = self._desk.source.digest(piece, pairs, attempt, snapshot)
        column = job.spec.target_time
        found = self._desk.target.staged(job.rows[0], pairs, part, column, md5=True)
        if found != expected:
            raise MismatchError(
                "a sampled stretch differs between PostgreSQL's own fingerprint and staging",
                where=f"{attempt.subject} {job.spec.name} [{part.start} .. {part.end})",
                why=f"source {expected}, staging {found}",
                next_step=f"windlass verify over that stretch, and report the column types of "
                f"{job.spec.name}",
            )


def hashed(
    batches: Iterator["pa.RecordBatch"], digest: RunningDigest
) -> Iterator["pa.RecordBatch"]:
    """Pass batches on, taking each into the digest."""
    for batch in batches:
        with stage("fingerprint"):
            digest.update(batch)
        yield batch


def pieces(batch: "pa.RecordBatch", most: int | None) -> Iterator["pa.RecordBatch"]:
    """The batch in pieces of so many rows at most; nothing is copied."""
    if most is None or batch.num_rows <= most:
        yield batch
        return
    for start in range(0, batch.num_rows, most):
        yield batch.slice(start, most)


def stretch(piece: Slice, rows: int, seed: str) -> Interval:
    """A stretch of the slice that should hold about SAMPLE_ROWS, chosen by campaign and table."""
    whole = piece.interval
    share = min(1.0, SAMPLE_ROWS / max(rows, 1))
    length = max(timedelta(minutes=1), whole.duration * share)
    if length >= whole.duration:
        return whole
    dice = random.Random(f"{seed}/{piece.table.name}/{whole}")
    start = whole.start + (whole.duration - length) * dice.random()
    return Interval(start, start + length)


def total(loads: Sequence[Load]) -> int:
    """Rows of all loads."""
    return sum(read.rows for load in loads for read in load.reads)
