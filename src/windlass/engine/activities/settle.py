"""After publish: rows that changed meanwhile are brought over, and the range is judged.

First the whole range, as of one moment: every key either is as the load left it on both sides, or
is a suspect. Then the suspects, one by one, until both sides say the same of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from windlass.domain.attempt import Attempt
from windlass.domain.results import Removed, SliceCount, TableCounts
from windlass.domain.states import Mode, Path, Verdict
from windlass.engine.activities.compare import Comparer
from windlass.engine.activities.desk import Desk, TableJob
from windlass.engine.activities.looks import Looks, Rest, distinct, kept
from windlass.engine.activities.moment import Moment, Patience
from windlass.engine.payloads import GroupWork
from windlass.engine.retry import WRITERS_LIMIT
from windlass.planner.build import definition_of
from windlass.ports import HeldCounts, Pulse

if TYPE_CHECKING:
    import pyarrow as pa

FEW_KEYS = 100_000
"""Differing rows up to this many are looked at by name; for more, both sides are compared."""


@dataclass(frozen=True)
class Outcome:
    """One table's end. `again`: the source changed under a table that only another load mends."""

    counts: TableCounts
    held: HeldCounts
    again: bool = False


@dataclass(frozen=True)
class FirstLook:
    """What the source holds at the moment, and the keys that are not known to be the same."""

    count: SliceCount
    suspects: "pa.Table"


class Settler:
    """Settles the tables of one group, each by what its mode and engine allow."""

    def __init__(
        self,
        desk: Desk,
        work: GroupWork,
        attempt: Attempt,
        mode: Mode,
        pulse: Pulse,
        patience: Patience,
    ) -> None:
        self._desk, self._work, self._attempt = desk, work, attempt
        self._mode, self._pulse, self._patience = mode, pulse, patience

    def tables(self, jobs: Sequence[TableJob]) -> list[Outcome]:
        """Bring the tables to rest and say what is proven."""
        match self._mode:
            case Mode.DELETE:
                return [self._deleted(job) for job in jobs]
            case Mode.APPEND:
                return [self._appended(job) for job in jobs]
            case Mode.REPLACE:
                return self._replaced(jobs)

    def _deleted(self, job: TableJob) -> Outcome:
        after = self._live(job)
        return self._outcome(job, _verdict(after == 0), SliceCount(0), after)

    def remember(self, outcomes: Sequence[Outcome]) -> None:
        """Record the verified range, so that later campaigns may skip what still holds."""
        ref = self._work.group
        plan, tenant = self._desk.plan(ref.tenant.campaign), self._desk.tenant(ref.tenant)
        definition = definition_of(plan.request, tenant)
        for window in self._desk.group(ref).windows:
            held = self._held(window.id, outcomes)
            if any(one.source_rows != one.live_rows for one in held.values()):
                # Rows on their way: verified now, but no later campaign may take it for settled.
                continue
            self._desk.ledger.record_verified(window.id, definition, held)

    def _held(self, window: str, outcomes: Sequence[Outcome]) -> dict[str, HeldCounts]:
        """What each table of the window holds: of the whole group when it is one window."""
        group = self._desk.group(self._work.group)
        if len(group.windows) == 1:
            return {o.counts.table: o.held for o in outcomes}
        interval = self._desk.window(self._work.group, window).interval
        jobs = self._desk.jobs(self._work.group, interval, ())
        return {job.spec.name: self._held_now(job) for job in jobs}

    def _held_now(self, job: TableJob) -> HeldCounts:
        source = self._source(job)
        return HeldCounts(source.kept, source.max_version, self._live(job))

    def _appended(self, job: TableJob) -> Outcome:
        """Verified when every staged row reached the live table: staging is empty by then."""
        loaded = self._desk.ledger.table_rows(self._work.group.group, job.spec.name)
        after, before = self._live(job), self._before(job).before
        grown = after - before
        whole = grown >= loaded if not job.live.replacing else after >= max(before, loaded)
        return self._outcome(job, _verdict(whole), SliceCount(loaded), after)

    def _replaced(self, jobs: Sequence[TableJob]) -> list[Outcome]:
        taken = self._work.snapshot.taken_at
        dataset = jobs[0].piece.dataset
        with self._patience.moment(
            self._desk.source, self._attempt, dataset, taken, self._pulse
        ) as moment:
            firsts = [self._first_look(job, moment.snapshot.id) for job in jobs]
        pairs = zip(jobs, firsts, strict=True)
        return [self._to_rest(job, first, moment) for job, first in pairs]

    def _first_look(self, job: TableJob, snapshot: str) -> FirstLook:
        """The suspects, out of everything: the rest is the same on both sides as of then."""
        count = self._desk.source.count(job.piece, (), self._attempt, snapshot)
        self._pulse(0)
        if not tells_time(job):
            return FirstLook(count, self._compared(job, snapshot))
        changed = self._changed(job, snapshot)
        stray = self._stray(job)
        if stray.num_rows > FEW_KEYS:
            return FirstLook(count, self._compared(job, snapshot))
        suspects = distinct([changed, stray], job.spec.key)
        return FirstLook(count, self._accounted(job, snapshot, count, changed, suspects))

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

    def _accounted(
        self,
        job: TableJob,
        snapshot: str,
        count: SliceCount,
        changed: "pa.Table",
        suspects: "pa.Table",
    ) -> "pa.Table":
        """The suspects, with those that no version tells of: rows that were deleted, or went to
        another tenant. The moment's count, less the suspects in it, must be the load's count,
        less the suspects in that: what lacks then is gone."""
        loaded = self._loaded(job) - self._staged(job, suspects).num_rows
        gone = loaded + self._inside(job, snapshot, changed, suspects) - count.kept
        if not gone:
            return suspects
        elsewhere = self._went_elsewhere(job, snapshot, suspects)
        if elsewhere.num_rows == gone:
            return distinct([suspects, elsewhere], job.spec.key)
        return distinct([suspects, self._compared(job, snapshot)], job.spec.key)

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

    def _compared(self, job: TableJob, snapshot: str) -> "pa.Table":
        """The keys that differ between the source at the moment and what is live, by digests."""
        desk, pairs = self._desk, job.plan.columns
        both = Comparer(
            desk.source, desk.target, job.live, pairs, self._attempt, snapshot, self._pulse
        )
        found = [one.keys for one in both.compare(job.piece).differences]
        kinds = [k for d in found for k in (d.missing, d.extra, d.different, d.attributed)]
        return distinct([no_keys(job), *kinds], job.spec.key)

    def _to_rest(self, job: TableJob, first: FirstLook, moment: Moment) -> Outcome:
        """Look at the suspects until they are settled, and judge."""
        mends = job.plan.edge_path is Path.IN_PLACE
        looks = Looks(self._desk, job, self._attempt, self._pulse, mends=mends)
        rest = looks.settle(first.suspects)
        if not mends and (rest.in_flight or rest.stable):
            return self._once_more(job, first, rest, moment)
        verdict = _verdict(not rest.stable)
        reason = _differs(job, rest) if rest.stable else ""
        return self._as_of(moment, job, first, rest, verdict, reason)

    def _once_more(self, job: TableJob, first: FirstLook, rest: Rest, moment: Moment) -> Outcome:
        """Another load, or, when that was the last, an honest `unverified`."""
        reason = _unmendable(job, rest)
        made = self._as_of(moment, job, first, rest, Verdict.UNVERIFIED, reason)
        return replace(made, again=not self._work.final)

    def _as_of(
        self,
        moment: Moment,
        job: TableJob,
        first: FirstLook,
        rest: Rest,
        verdict: Verdict,
        reason: str,
    ) -> Outcome:
        if moment.open and verdict is Verdict.VERIFIED:
            verdict, reason = Verdict.UNVERIFIED, _still_open(job, moment)
        made = self._outcome(job, verdict, first.count, self._live(job))
        counts = replace(
            made.counts, in_flight=rest.in_flight, exact_as_of=moment.exact_as_of, reason=reason
        )
        return replace(made, counts=counts)

    def _write_queries(self, job: TableJob) -> None:
        """The two counts, for whoever wants to see for themselves."""
        told = {
            "source": self._desk.source.count_sql(job.piece),
            "target": self._desk.target.count_sql(job.live, job.piece),
        }
        campaign, database = self._work.group.tenant.campaign, job.piece.tenant.database
        for server, sql in told.items():
            purpose = f"rows in {job.piece.interval} ({server})"
            self._desk.ledger.query(campaign, database, job.spec.name, purpose, server, sql)

    def _source(self, job: TableJob) -> SliceCount:
        return self._desk.source.count(job.piece, (), self._attempt, None)

    def _live(self, job: TableJob) -> int:
        (rows,) = self._desk.target.count(job.live, job.spec.target_time, [job.piece.interval])
        return rows

    def _before(self, job: TableJob) -> Removed:
        known = self._desk.ledger.removed(self._work.group.group, job.spec.name)
        return known or Removed(0, 0, 0)

    def _outcome(self, job: TableJob, verdict: Verdict, source: SliceCount, after: int) -> Outcome:
        self._write_queries(job)
        removed = self._before(job)
        loaded = self._desk.ledger.table_rows(self._work.group.group, job.spec.name)
        counts = TableCounts(
            table=job.spec.name,
            before=removed.before,
            removed=removed.before + loaded - after,
            loaded=loaded,
            after=after,
            attributed=removed.attributed,
            deleted=removed.deleted,
            duplicates=removed.duplicates,
            unexplained=removed.unexplained,
            raw=removed.raw if removed.raw != removed.before else None,
            verdict=verdict,
            path=str(job.group.path),
        )
        return Outcome(counts, HeldCounts(source.kept, source.max_version, after))


def _verdict(proven: bool) -> Verdict:
    return Verdict.VERIFIED if proven else Verdict.MISMATCH


def tells_time(job: TableJob) -> bool:
    """Whether the version says when a row changed; numbers and texts only say that it did."""
    kinds = {pair.name: pair.source_type for pair in job.plan.columns}
    return kinds.get(job.spec.version or "", "").startswith(("timestamp", "date"))


def no_keys(job: TableJob) -> "pa.Table":
    """No keys, in the right columns."""
    import pyarrow as pa

    return pa.table({name: pa.array([], pa.string()) for name in job.spec.key})


def _differs(job: TableJob, rest: Rest) -> str:
    return (
        f"{rest.stable:,} keys of {job.spec.name} stay different though they were put right "
        f"(such as {rest.example}): {_verify(job)}"
    )


def _unmendable(job: TableJob, rest: Rest) -> str:
    """Without a version a single row cannot be replaced while others write."""
    return (
        f"{rest.in_flight + rest.stable:,} keys of {job.spec.name} differ from the source: rows "
        f"changed or arrived meanwhile, and {job.live.engine} has no version to tell new from "
        f"old; pause what writes to the range and run it again, or see which: {_verify(job)}"
    )


def _still_open(job: TableJob, moment: Moment) -> str:
    """What they commit carries old versions: nothing that goes by those would bring it later."""
    who = ", ".join(
        f"{one.who} ({one.id}{f' since {one.since:%Y-%m-%d %H:%M:%S}Z' if one.since else ''})"
        for one in moment.open
    )
    return (
        f"open transactions wrote to the tables before the load and did not end within "
        f"{WRITERS_LIMIT.total_seconds():.0f} s: {who}; what they commit may not be in the range. "
        f"Once they are over: {_verify(job)}, and run with --redo if it finds differences"
    )


def _verify(job: TableJob) -> str:
    """The command that compares the range."""
    span, tenant = job.piece.interval, job.piece.tenant
    who = "/".join(part for part in (tenant.customer, tenant.profile) if part)
    return f"windlass verify {tenant.cluster} {who} {span.start:%FT%TZ} {span.end:%FT%TZ}"


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict of the whole: a mismatch outweighs unverified, which outweighs verified."""
    for one in (Verdict.MISMATCH, Verdict.UNVERIFIED):
        if one in verdicts:
            return one
    return Verdict.VERIFIED
