"""The first look at a whole range, as of one moment: which keys are not known to be the same on
both sides. All others are as the load left them, in the source and live."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from windlass.domain.attempt import Attempt, Staging
from windlass.domain.results import Digest, SliceCount
from windlass.domain.states import Path
from windlass.domain.window import Interval
from windlass.engine.activities.beside import beside
from windlass.engine.activities.compare import Comparer
from windlass.engine.activities.desk import Desk, TableJob
from windlass.engine.activities.looks import distinct, kept
from windlass.engine.payloads import GroupWork, Read
from windlass.ports import Pulse

if TYPE_CHECKING:
    import pyarrow as pa

FEW_KEYS = 100_000
"""Differing rows up to this many are looked at by name; for more, both sides are compared."""


@dataclass(frozen=True)
class FirstLook:
    """What the source holds at the moment, window by window, and the keys that are not known to
    be the same. `differs`: some row is not the same, and none can be put right alone, so which is
    not asked. `live`: what live holds, window by window, where just that was counted;
    `as_staged`: it is the staged parts, and nothing else."""

    windows: tuple[SliceCount, ...]
    suspects: "pa.Table"
    differs: bool = False
    live: tuple[int, ...] | None = None
    as_staged: bool = False


class Suspects:
    """Finds the suspects of one group's tables."""

    def __init__(self, desk: Desk, work: GroupWork, attempt: Attempt, pulse: Pulse) -> None:
        self._desk, self._work = desk, work
        self._attempt, self._pulse = attempt, pulse

    def look(self, job: TableJob, snapshot: str) -> FirstLook:
        """The suspects, out of everything: the rest is the same on both sides as of then. Both
        servers are asked at once: the source speaks as of the snapshot, whenever it is asked."""
        if not tells_time(job):
            return self._by_content(job, snapshot, self._counts(job, snapshot))
        with beside(lambda: self._held_now(job)) as asked:
            changed = self._changed(job, snapshot)
            counts = self._counts(job, snapshot, as_read=not changed.num_rows)
        held, as_staged = asked.result()
        stray = no_keys(job) if held == self._as_read(job) else self._stray(job)
        if stray.num_rows > FEW_KEYS:
            return self._by_content(job, snapshot, counts)
        kept = sum(one.kept for one in counts)
        suspects = distinct([changed, stray], job.spec.key)
        if self._closes(job, snapshot, kept, changed, suspects):
            if suspects.num_rows:
                return FirstLook(counts, suspects)
            live = tuple(one.rows for one in held)
            return FirstLook(counts, suspects, live=live, as_staged=as_staged)
        if not mends(job):
            return FirstLook(counts, suspects, differs=True)
        return FirstLook(counts, self._accounted(job, snapshot, kept, changed, suspects))

    def _counts(
        self, job: TableJob, snapshot: str, *, as_read: bool = False
    ) -> tuple[SliceCount, ...]:
        """What the source holds, window by window. `as_read`: no version is later than what was
        read, so that just as many rows are those rows, and their highest version is known."""
        steps = [window.interval for window in self._desk.group(self._work.group).windows]
        read = self._reads(job)
        if as_read and all(one.version for one in read if one.rows):
            found = self._counted(job, steps, snapshot, versions=False)
            if [one.kept for one in found] == [one.rows for one in read]:
                known = zip(found, read, strict=True)
                return tuple(replace(one, max_version=was.version) for one, was in known)
        return self._counted(job, steps, snapshot)

    def _counted(
        self, job: TableJob, steps: Sequence[Interval], snapshot: str, *, versions: bool = True
    ) -> tuple[SliceCount, ...]:
        source = self._desk.source
        found = source.counts(job.piece, (), steps, self._attempt, snapshot, versions=versions)
        self._pulse(0)
        return tuple(found)

    def _by_content(
        self, job: TableJob, snapshot: str, counts: tuple[SliceCount, ...]
    ) -> FirstLook:
        """By fingerprints of the whole range, where no version tells what changed."""
        if mends(job):
            return FirstLook(counts, self._compared(job, snapshot))
        pairs = job.plan.columns
        (source,) = self._desk.source.digest(job.piece, pairs, self._attempt, snapshot)
        self._pulse(0)
        (live,) = self._desk.target.digest(job.live, job.piece, pairs, (), self._attempt)
        return FirstLook(counts, no_keys(job), differs=source != live)

    def _changed(self, job: TableJob, snapshot: str) -> "pa.Table":
        """Rows whose version says that they may have changed since the load's snapshot."""
        since = datetime.fromisoformat(self._work.snapshot.horizon)
        pairs = job.plan.columns
        found = self._desk.source.changed(job.piece, pairs, since, self._attempt, snapshot)
        self._pulse(found.num_rows)
        return found

    def _stray(self, job: TableJob) -> "pa.Table":
        """Live rows that are not the staged ones, and staged ones that are not live."""
        found = self._desk.target.differing(
            job.live, job.piece, job.plan.columns, job.rows, FEW_KEYS + 1, self._attempt
        )
        self._pulse(0)
        return found

    def _held_now(self, job: TableJob) -> tuple[list[Digest], bool]:
        """The fingerprint of what live holds, window by window, and whether it is `as_staged`:
        staging was proven to be what was read, so that no row is read again."""
        steps = [window.interval for window in self._desk.group(self._work.group).windows]
        if job.group.path is Path.SWAP:
            read = self._as_read(job)
            rows = self._desk.target.rows_as_staged(
                job.live, job.piece, steps, job.rows, self._attempt
            )
            self._pulse(0)
            if rows == [one.rows for one in read]:
                return read, True
        found = self._desk.target.fingerprints(
            job.live, job.piece, job.plan.columns, steps, self._attempt
        )
        self._pulse(0)
        return found, False

    def _as_read(self, job: TableJob) -> list[Digest]:
        """The fingerprint of what was read, window by window."""
        return [Digest(one.rows, one.sum) for one in self._reads(job)]

    def _reads(self, job: TableJob) -> list[Read]:
        """What was read, window by window."""
        table = job.spec.name
        reads = {
            load.window: read
            for load in self._work.loads
            for read in load.reads
            if read.table == table
        }
        nothing = Read(table, 0, Digest(0).sum)
        windows = self._desk.group(self._work.group).windows
        return [reads.get(window.id, nothing) for window in windows]

    def _accounted(
        self,
        job: TableJob,
        snapshot: str,
        kept: int,
        changed: "pa.Table",
        suspects: "pa.Table",
    ) -> "pa.Table":
        """The suspects, with those that no version tells of: rows that went to another tenant,
        or were deleted."""
        for others in (self._went_elsewhere, self._vanished, self._stray_by_now):
            found = others(job, snapshot, suspects)
            if found.num_rows > FEW_KEYS:
                break
            suspects = distinct([suspects, found], job.spec.key)
            if self._closes(job, snapshot, kept, changed, suspects):
                return suspects
        return distinct([suspects, self._compared(job, snapshot)], job.spec.key)

    def _closes(
        self,
        job: TableJob,
        snapshot: str,
        kept: int,
        changed: "pa.Table",
        suspects: "pa.Table",
    ) -> bool:
        """Whether the source holds (`kept`) at the moment just as many rows beside the suspects
        as were loaded beside them: then, versions being true, they are the same rows."""
        here = self._inside(job, snapshot, changed, suspects)
        beside = self._loaded(job) - int(self._staged(job, suspects).num_rows)
        return kept - here == beside

    def _loaded(self, job: TableJob) -> int:
        reads = (read for load in self._work.loads for read in load.reads)
        return sum(read.rows for read in reads if read.table == job.spec.name)

    def _staged(self, job: TableJob, keys: "pa.Table") -> "pa.Table":
        """Those of the keys that the load brought."""
        if not keys.num_rows:
            return keys
        found = self._desk.target.staged_keys(
            job.live, job.piece, job.plan.columns, job.rows, keys, self._attempt
        )
        self._pulse(0)
        return found

    def _inside(
        self, job: TableJob, snapshot: str, changed: "pa.Table", suspects: "pa.Table"
    ) -> int:
        """The suspects that the source holds at the moment: `changed` knows of its own."""
        import pyarrow.compute as pc

        key = list(job.spec.key)
        here = int(pc.sum(pc.fill_null(changed["inside"], False)).as_py() or 0)
        others = suspects.join(changed.select(key), keys=key, join_type="left anti")
        if not others.num_rows:
            return here
        pairs = job.plan.columns
        found = self._desk.source.lookup(job.piece, pairs, others, self._attempt, snapshot)
        return here + int(kept(found).num_rows)

    def _went_elsewhere(self, job: TableJob, snapshot: str, known: "pa.Table") -> "pa.Table":
        """Loaded rows that are another tenant's now, but for those that are known."""
        since = datetime.fromisoformat(self._work.snapshot.horizon)
        found = self._desk.source.changed_elsewhere(
            job.piece, job.plan.columns, since, FEW_KEYS, self._attempt, snapshot
        )
        self._pulse(found.num_rows)
        key = list(job.spec.key)
        others = distinct([found], key).join(known, keys=key, join_type="left anti")
        return self._staged(job, others)

    def _vanished(self, job: TableJob, snapshot: str, _known: "pa.Table") -> "pa.Table":
        """Live rows that the source does not hold at the moment, a window at a time: its keys
        alone are read, and held against live's on the server."""
        windows = self._desk.group(self._work.group).windows
        return distinct([self._lacking(job, w.interval, snapshot) for w in windows], job.spec.key)

    def _stray_by_now(self, job: TableJob, _snapshot: str, _known: "pa.Table") -> "pa.Table":
        """What others took out of live since the first look for strays."""
        return self._stray(job)

    def _lacking(self, job: TableJob, window: Interval, snapshot: str) -> "pa.Table":
        piece, pairs = replace(job.piece, interval=window), job.plan.columns
        held = Staging(self._attempt, job.spec.name, "held", database=piece.tenant.database)
        target = self._desk.target
        target.stage_excluded(held, piece.table.key)
        with self._desk.source.kept_keys(piece, pairs, self._attempt, snapshot) as batches:
            target.insert(held, batches, self._pulse)
        return target.gone_keys(job.live, piece, pairs, (), held, FEW_KEYS + 1, self._attempt)

    def _compared(self, job: TableJob, snapshot: str) -> "pa.Table":
        """The keys that differ between the source at the moment and what is live, by digests."""
        desk, pairs = self._desk, job.plan.columns
        both = Comparer(
            desk.source, desk.target, job.live, pairs, self._attempt, snapshot, self._pulse
        )
        found = [one.keys for one in both.compare(job.piece).differences]
        kinds = [k for d in found for k in (d.missing, d.extra, d.different, d.attributed)]
        return distinct([no_keys(job), *kinds], job.spec.key)


def mends(job: TableJob) -> bool:
    """Whether single rows can be put right while others write: by their versions."""
    return job.plan.edge_path is Path.IN_PLACE


def tells_time(job: TableJob) -> bool:
    """Whether the version says when a row changed; numbers and texts only say that it did."""
    kinds = {pair.name: pair.source_type for pair in job.plan.columns}
    return kinds.get(job.spec.version or "", "").startswith(("timestamp", "date"))


def no_keys(job: TableJob) -> "pa.Table":
    """No keys, in the right columns."""
    import pyarrow as pa

    return pa.table({name: pa.array([], pa.string()) for name in job.spec.key})
