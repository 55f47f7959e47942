"""After publish: rows that changed meanwhile are brought over, and the range is judged."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from windlass.domain.attempt import Attempt
from windlass.domain.results import Removed, SliceCount, TableCounts
from windlass.domain.states import Mode, Path, Verdict
from windlass.engine.activities.compare import Comparer, Comparison
from windlass.engine.activities.desk import Desk, TableJob
from windlass.engine.payloads import GroupWork
from windlass.planner.build import definition_of
from windlass.ports import HeldCounts, Pulse

if TYPE_CHECKING:
    import pyarrow as pa

PASSES = 3
"""How often a table is caught up before the rest is called a mismatch."""

FEW_KEYS = 100_000
"""Differing rows up to this many are mended one by one; more is another load."""


@dataclass(frozen=True)
class Outcome:
    """One table's end. `again`: the source changed under a table that only another load mends."""

    counts: TableCounts
    held: HeldCounts
    again: bool = False


class Settler:
    """Settles the tables of one group, each by what its mode and engine allow."""

    def __init__(
        self, desk: Desk, work: GroupWork, attempt: Attempt, mode: Mode, pulse: Pulse
    ) -> None:
        self._desk, self._work, self._attempt = desk, work, attempt
        self._mode, self._pulse = mode, pulse

    def table(self, job: TableJob) -> Outcome:
        """Bring the table to rest and say what is proven."""
        match self._mode:
            case Mode.DELETE:
                after = self._live(job)
                return self._outcome(job, _verdict(after == 0), SliceCount(0), after)
            case Mode.APPEND:
                return self._appended(job)
            case Mode.REPLACE:
                return self._replaced(job)

    def remember(self, outcomes: Sequence[Outcome]) -> None:
        """Record the verified range, so that later campaigns may skip what still holds."""
        ref = self._work.group
        plan, tenant = self._desk.plan(ref.tenant.campaign), self._desk.tenant(ref.tenant)
        definition = definition_of(plan.request, tenant)
        for window in self._desk.group(ref).windows:
            held = self._held(window.id, outcomes)
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

    def _replaced(self, job: TableJob) -> Outcome:
        mendable = job.plan.edge_path is Path.IN_PLACE
        if not tells_time(job):
            return self._mended(job) if mendable else self._fingerprinted(job)
        changed = self._catch_up(job) if mendable else self._changed_since(job)
        if changed and not mendable:
            return self._once_more(job)
        return self._judged(job, mendable)

    def _fingerprinted(self, job: TableJob) -> Outcome:
        """No version column: the source says by MD5 whether live equals it now."""
        comparer = self._comparer(job)
        (source,) = comparer.source.digest(job.piece, comparer.pairs, self._attempt, None)
        self._pulse(0)
        (target,) = comparer.target.digest(job.live, job.piece, comparer.pairs)
        if source == target:
            return self._outcome(job, Verdict.VERIFIED, self._source(job), target.rows)
        return self._once_more(job)

    def _once_more(self, job: TableJob) -> Outcome:
        """Another load, or, when that was the last, an honest `unverified`."""
        outcome = self._outcome(job, Verdict.UNVERIFIED, self._source(job), self._live(job))
        return Outcome(outcome.counts, outcome.held, again=not self._work.final)

    def _changed_since(self, job: TableJob) -> bool:
        horizon = datetime.fromisoformat(self._work.snapshot.horizon)
        pairs = job.plan.columns
        changed = self._desk.source.changed(job.piece, pairs, horizon, self._attempt)
        return bool(changed.num_rows) and not self._comparer(job).compare(job.piece).equal

    def _catch_up(self, job: TableJob) -> bool:
        """Rows changed since the oldest transaction open at the snapshot, in a few passes."""
        since = datetime.fromisoformat(self._work.snapshot.horizon)
        for _ in range(PASSES):
            with self._desk.source.hold(self._attempt) as held:
                horizon = held.snapshot.horizon
            pairs = job.plan.columns
            changed = self._desk.source.changed(job.piece, pairs, since, self._attempt)
            self._pulse(changed.num_rows)
            if not changed.num_rows:
                return False
            self._mend(job, changed, _outside(changed))
            since = horizon
        return True

    def _mend(self, job: TableJob, keys: "pa.Table", gone: "pa.Table | None") -> None:
        """Put the source's present rows of these keys in place, take the gone ones out."""
        names, pairs = list(job.spec.key), job.plan.columns
        asked = keys.select(names)
        rows = self._desk.source.read_keys(job.piece, pairs, asked, self._attempt)
        remove = gone.select(names) if gone is not None and gone.num_rows else None
        upsert = rows if rows.num_rows else None
        self._desk.target.apply(job.live, job.piece, pairs, job.plan, upsert, remove, self._attempt)
        self._pulse(rows.num_rows)

    def _judged(self, job: TableJob, mendable: bool) -> Outcome:
        """Live must equal staging but for rows that changed meanwhile, and count as the source."""
        stray = self._desk.target.differing(
            job.live, job.piece, job.plan.columns, job.rows, FEW_KEYS + 1, self._attempt
        )
        source, live = self._source(job), self._live(job)
        if not stray.num_rows and source.kept == live:
            return self._outcome(job, Verdict.VERIFIED, source, live)
        if not mendable:
            return self._once_more(job)
        return self._mended(job)

    def _mended(self, job: TableJob) -> Outcome:
        """Compare with the source as it is now, mend what differs, a few times."""
        for _ in range(PASSES):
            found = self._comparer(job).compare(job.piece)
            if found.equal:
                return self._outcome(job, Verdict.VERIFIED, self._source(job), found.target_rows)
            self._mend_all(job, found)
        found = self._comparer(job).compare(job.piece)
        verdict = _verdict(found.equal)
        return self._outcome(job, verdict, self._source(job), found.target_rows)

    def _mend_all(self, job: TableJob, found: Comparison) -> None:
        import pyarrow as pa

        names = list(job.spec.key)
        for one in found.differences:
            keys = one.keys
            gone = pa.concat_tables([keys.extra.select(names), keys.attributed.select(names)])
            put = pa.concat_tables([keys.missing.select(names), keys.different.select(names)])
            self._mend(job, put, gone)

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

    def _comparer(self, job: TableJob) -> Comparer:
        desk = self._desk
        pairs = job.plan.columns
        return Comparer(desk.source, desk.target, job.live, pairs, self._attempt, None, self._pulse)

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


def _outside(changed: "pa.Table") -> "pa.Table":
    """Rows that no longer belong to the slice."""
    import pyarrow.compute as pc

    return changed.filter(pc.invert(pc.fill_null(changed["inside"], False)))


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict of the whole: a mismatch outweighs unverified, which outweighs verified."""
    for one in (Verdict.MISMATCH, Verdict.UNVERIFIED):
        if one in verdicts:
            return one
    return Verdict.VERIFIED
