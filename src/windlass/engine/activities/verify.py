"""`windlass verify`: every table of every tenant asked for, source against target.

One source snapshot for all of it. What was found equal goes into the ledger, and so do tables that
are done: whoever takes the question up again after a worker's death goes on from there, in a
snapshot of its own, and the outcome names both.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from windlass.domain.attempt import Attempt
from windlass.domain.dataset import Slice
from windlass.domain.errors import AccessError, PlanError, WindlassError
from windlass.domain.plan import Request
from windlass.domain.results import Snapshot, TableVerification
from windlass.domain.schema import ColumnPair, TargetTable
from windlass.domain.states import Verdict
from windlass.domain.window import Interval
from windlass.engine.activities.compare import USUAL, Comparer, Part, Sizes, even_steps
from windlass.engine.activities.desk import Desk
from windlass.engine.activities.lookagain import SecondLook
from windlass.engine.activities.namekeys import Namer
from windlass.engine.activities.tally import Tally, kinds, merged
from windlass.engine.activities.tenants import chosen
from windlass.ports import EqualPart, Ledger, Pulse
from windlass.verify.pairs import match

SAMPLE_STEPS = 400
SAMPLE_DRAWN = 20
"""A range is cut into so many steps for sampling that some 20 are drawn, but into no more than
400: each run of steps is a query of its own on both servers."""

SESSIONS = 16
"""Source sessions that one verification may have at most."""

NO_ROWS_OF_THEIR_OWN = ("Collapsing", "Summing", "Aggregating", "Coalescing", "Graphite")


@dataclass(frozen=True)
class Question:
    """verify: compare the request's range, naming at most `keys` keys per table, with `values`
    of the columns that differ; `sessions` read the source at once. `sample` is the share of time
    steps to look at, drawn from `seed`; `last_seconds` makes a scheduled range relative."""

    request: Request
    keys: int = 20
    values: bool = False
    sessions: int = 2
    sample: float = 1.0
    seed: str = ""
    last_seconds: int = 0


@dataclass(frozen=True)
class Verifier:
    """Answers one question; `id` is its request's, under which progress is recorded."""

    desk: Desk
    question: Question
    id: str
    attempt: Attempt
    pulse: Pulse
    sizes: Sizes = USUAL

    def tables(self) -> tuple[TableVerification, ...]:
        """The outcome of every table, in the dataset's order."""
        ledger, dataset = self.desk.ledger, self.question.request.dataset
        done = {(one.database, one.table): one for one in ledger.checked_tables(self.id)}
        with self.desk.source.hold(self.attempt) as held:
            for tenant in chosen(self.desk, self.question.request):
                for spec in dataset.tables:
                    if (tenant.database, spec.name) in done:
                        continue
                    piece = Slice(dataset, spec, tenant, self.question.request.interval)
                    outcome = self._table(piece, held.snapshot)
                    ledger.table_checked(self.id, outcome)
                    done[tenant.database, spec.name] = outcome
                    self.pulse(0)
        return tuple(done.values())

    def _table(self, piece: Slice, snapshot: Snapshot) -> TableVerification:
        """A table that cannot be compared is a finding, not the end of the whole."""
        try:
            live, pairs = matched(self.desk, piece)
            return TableCheck(self, piece, live, pairs, snapshot).outcome()
        except (PlanError, AccessError) as error:
            return self._finding(piece, error)

    def _finding(self, piece: Slice, error: WindlassError) -> TableVerification:
        tenant, where = piece.tenant, f" ({error.where})" if error.where else ""
        why = f": {error.why}" if error.why else ""
        return TableVerification(
            tenant.cluster,
            tenant.database,
            piece.table.name,
            source_rows=0,
            target_rows=0,
            verdict=Verdict.UNVERIFIED,
            finding=f"{error.what}{where}{why}",
        )


@dataclass(frozen=True)
class TableCheck:
    """One table of one tenant, compared in one snapshot."""

    verifier: Verifier
    piece: Slice
    live: TargetTable
    pairs: Sequence[ColumnPair]
    snapshot: Snapshot
    tally: Tally = field(default_factory=Tally)

    def outcome(self) -> TableVerification:
        """Compare what is not known to be equal yet, look again at what differs, name keys."""
        known = self._ledger.equal_parts(self.verifier.id, self._database, self.piece.table.name)
        wanted, steps = self._ranges()
        left = [rest for one in wanted for rest in one.minus([p.interval for p in known])]
        comparer = self._comparer()
        if left:
            comparer.scan(self.piece, left, self._part, self.tally.difference)
        before = Counter(source=0, target=0)
        for part in known:
            before += Counter(source=part.source_rows, target=part.target_rows)
        return self._judged(comparer, before, self._snapshots(known, bool(left)), steps)

    def _judged(
        self,
        comparer: Comparer,
        before: Mapping[str, int],
        snapshots: tuple[datetime, ...],
        steps: int,
    ) -> TableVerification:
        again = SecondLook(comparer, self.piece, self.snapshot.horizon)
        judged = [again.judge(found) for found in self.tally.in_order()]
        wrong = merged(self.tally.beyond, *(kinds(one.wrong) for one in judged))
        question = self.verifier.question
        namer = Namer(comparer, self.piece, question.keys, question.values)
        return TableVerification(
            self.piece.tenant.cluster,
            self._database,
            self.piece.table.name,
            source_rows=self.tally.source_rows + before["source"],
            target_rows=self.tally.target_rows + before["target"],
            missing=wrong.get("missing", 0),
            extra=wrong.get("extra", 0),
            different=wrong.get("different", 0),
            attributed=merged(
                self.tally.beyond_attributed, *(j.wrong.attributed_counts() for j in judged)
            ),
            verdict=Verdict.MISMATCH if wrong else Verdict.VERIFIED,
            keys=namer.named(judged),
            in_flight=sum(one.flying.rows for one in judged),
            snapshots=snapshots,
            sampled=len(self._sampled()) if steps else 0,
            steps=steps,
        )

    def _ranges(self) -> tuple[list[Interval], int]:
        """The ranges to compare, and into how many steps the whole was cut (0: not sampled)."""
        if self.verifier.question.sample >= 1:
            return [self.piece.interval], 0
        return list(joined(self._sampled())), len(self._steps())

    def _steps(self) -> list[Interval]:
        count = round(SAMPLE_DRAWN / self.verifier.question.sample)
        return even_steps(self.piece.interval, min(SAMPLE_STEPS, count))

    def _sampled(self) -> list[Interval]:
        """The same steps for all tables of a tenant, whoever draws them again."""
        question, steps = self.verifier.question, self._steps()
        draw = random.Random(f"{question.seed}/{self._database}")
        return sorted(draw.sample(steps, max(1, round(question.sample * len(steps)))))

    def _part(self, part: Part) -> None:
        self.tally.part(part)
        if part.equal:
            equal = EqualPart(
                part.interval, part.source_rows, part.target_rows, self.snapshot.taken_at
            )
            table = self.piece.table.name
            self._ledger.part_equal(self.verifier.id, self._database, table, equal)

    def _snapshots(self, known: Sequence[EqualPart], more: bool) -> tuple[datetime, ...]:
        now = [self.snapshot.taken_at] if more else []
        return tuple(sorted({*(part.snapshot for part in known), *now}))

    def _comparer(self) -> Comparer:
        verifier = self.verifier
        sessions = max(1, min(SESSIONS, verifier.question.sessions))
        return Comparer(
            verifier.desk.source,
            verifier.desk.target,
            self.live,
            self.pairs,
            verifier.attempt,
            self.snapshot.id,
            verifier.pulse,
            sessions,
            verifier.sizes,
        )

    @property
    def _ledger(self) -> Ledger:
        return self.verifier.desk.ledger

    @property
    def _database(self) -> str:
        return self.piece.tenant.database


def joined(steps: Sequence[Interval]) -> Iterator[Interval]:
    """Neighbouring steps as one."""
    run: Interval | None = None
    for step in steps:
        if run and run.end == step.start:
            run = Interval(run.start, step.end)
            continue
        if run:
            yield run
        run = step
    if run:
        yield run


def matched(desk: Desk, piece: Slice) -> tuple[TargetTable, Sequence[ColumnPair]]:
    """The live table and how its columns are compared. PlanError says why they cannot be."""
    spec, database = piece.table, piece.tenant.database
    live = desk.target.describe(database, spec.name)
    where = f"{database}.{spec.name}"
    if live is None:
        raise PlanError(
            "the target table does not exist",
            where=where,
            next_step=f"create it, or leave the tenant out: --except {piece.tenant.customer}",
        )
    if live.engine.removeprefix("Replicated").startswith(NO_ROWS_OF_THEIR_OWN):
        raise PlanError(
            f"rows of {live.engine} cannot be told from what merges make of them", where=where
        )
    found = match(desk.source.columns(spec, piece.dataset), live.columns)
    if found.refusals:
        raise PlanError("; ".join(found.refusals), where=where)
    for needed in (spec.target_time, *spec.key):
        if needed not in {pair.name for pair in found.pairs}:
            raise PlanError(f"the target table has no column {needed!r} of its own", where=where)
    return live, found.pairs
