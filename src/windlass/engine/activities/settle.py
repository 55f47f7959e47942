"""After publish: rows that changed meanwhile are brought over, and the range is judged.

First the whole range, as of one moment: every key either is as the load left it on both sides, or
is a suspect. Then the suspects, one by one, until both sides say the same of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from windlass.domain.attempt import Attempt
from windlass.domain.chunks import chunked
from windlass.domain.results import Removed, SliceCount, TableCounts
from windlass.domain.states import Mode, Verdict
from windlass.engine.activities.desk import Desk, TableJob
from windlass.engine.activities.looks import Looks, Rest
from windlass.engine.activities.moment import Moment, Patience
from windlass.engine.activities.suspects import FirstLook, Suspects, mends
from windlass.engine.payloads import GroupWork
from windlass.engine.retry import WRITERS_LIMIT
from windlass.planner.build import definition_of
from windlass.ports import HeldCounts, Pulse

AT_ONCE = 500
"""Windows whose ranges are written down in one transaction."""


@dataclass(frozen=True)
class Outcome:
    """One table's end. `held` is what each window holds, in their order, where both sides were
    counted; `again`: the source changed under a table that only another load mends; `as_staged`:
    live holds the staged parts and nothing else."""

    counts: TableCounts
    held: tuple[HeldCounts, ...] = ()
    again: bool = False
    as_staged: bool = False


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
        after = sum(self._live(job))
        return self._outcome(job, _verdict(after == 0), after)

    def remember(self, outcomes: Sequence[Outcome]) -> None:
        """Record the verified range, so that later campaigns may skip what still holds."""
        ref = self._work.group
        plan, tenant = self._desk.plan(ref.tenant.campaign), self._desk.tenant(ref.tenant)
        definition = definition_of(plan.request, tenant)
        names = [window.id for window in self._desk.group(ref).windows]
        for some in chunked(list(enumerate(names)), AT_ONCE):
            held = {name: _tables(outcomes, number) for number, name in some}
            # Rows on their way: verified now, but no later campaign may take it for settled.
            settled = {name: tables for name, tables in held.items() if _equal(tables)}
            self._desk.ledger.record_verified(definition, settled)
            self._pulse(0)

    def _appended(self, job: TableJob) -> Outcome:
        """Verified when every staged row reached the live table: staging is empty by then."""
        loaded = self._desk.ledger.table_rows(self._work.group.group, job.spec.name)
        after, before = sum(self._live(job)), self._before(job).before
        grown = after - before
        whole = grown >= loaded if not job.live.replacing else after >= max(before, loaded)
        return self._outcome(job, _verdict(whole), after)

    def _replaced(self, jobs: Sequence[TableJob]) -> list[Outcome]:
        taken = self._work.snapshot.taken_at
        dataset = jobs[0].piece.dataset
        with self._patience.moment(
            self._desk.source, self._attempt, dataset, taken, self._pulse
        ) as moment:
            suspects = Suspects(self._desk, self._work, self._attempt, self._pulse)
            firsts = [suspects.look(job, moment.snapshot.id) for job in jobs]
        pairs = zip(jobs, firsts, strict=True)
        return [self._to_rest(job, first, moment) for job, first in pairs]

    def _to_rest(self, job: TableJob, first: FirstLook, moment: Moment) -> Outcome:
        """Look at the suspects until they are settled, and judge."""
        looks = Looks(self._desk, job, self._attempt, self._pulse, mends=mends(job))
        rest = Rest() if first.differs else looks.settle(first.suspects)
        if not mends(job) and (first.differs or rest.in_flight or rest.stable):
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
        live = first.live or self._live(job)
        made = self._outcome(job, verdict, sum(live))
        held = tuple(_held(*both) for both in zip(first.windows, live, strict=True))
        counts = replace(
            made.counts, in_flight=rest.in_flight, exact_as_of=moment.exact_as_of, reason=reason
        )
        return replace(made, counts=counts, held=held, as_staged=first.as_staged)

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

    def _live(self, job: TableJob) -> list[int]:
        """Rows that live holds, window by window."""
        steps = [window.interval for window in self._desk.group(self._work.group).windows]
        return self._desk.target.count(job.live, job.spec.target_time, steps)

    def _before(self, job: TableJob) -> Removed:
        known = self._desk.ledger.removed(self._work.group.group, job.spec.name)
        return known or Removed(0, 0, 0)

    def _outcome(self, job: TableJob, verdict: Verdict, after: int) -> Outcome:
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
        return Outcome(counts)


def _tables(outcomes: Sequence[Outcome], number: int) -> Mapping[str, HeldCounts]:
    """What each table holds of the window with that number."""
    return {one.counts.table: one.held[number] for one in outcomes}


def _equal(tables: Mapping[str, HeldCounts]) -> bool:
    return all(one.source_rows == one.live_rows for one in tables.values())


def _held(source: SliceCount, live: int) -> HeldCounts:
    return HeldCounts(source.kept, source.max_version, live)


def _verdict(proven: bool) -> Verdict:
    return Verdict.VERIFIED if proven else Verdict.MISMATCH


def _differs(job: TableJob, rest: Rest) -> str:
    return (
        f"{rest.stable:,} keys of {job.spec.name} stay different though they were put right "
        f"(such as {rest.example}): {_verify(job)}"
    )


def _unmendable(job: TableJob, rest: Rest) -> str:
    """Without a version a single row cannot be replaced while others write."""
    keys = rest.in_flight + rest.stable
    which = f"{keys:,} keys of {job.spec.name} differ" if keys else f"{job.spec.name} differs"
    return (
        f"{which} from the source: rows changed or arrived meanwhile, and {job.live.engine} has "
        "no version to tell new from old; pause what writes to the range and run it again, or "
        f"see which: {_verify(job)}"
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
