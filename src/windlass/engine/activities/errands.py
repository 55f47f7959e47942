"""Answers to an operator's questions, found where the databases can be reached."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from temporalio import activity

from windlass.domain.attempt import Attempt
from windlass.domain.dataset import Dataset, Slice
from windlass.domain.errors import CancelledError, Kind, UsageError, WindlassError
from windlass.domain.plan import ClusterPlan, Request
from windlass.domain.results import Evidence, TableVerification
from windlass.domain.tenant import Tenant
from windlass.engine.activities.desk import Desk, stage_excluded
from windlass.engine.activities.looker import PATIENCE
from windlass.engine.activities.survey import Survey
from windlass.engine.activities.tenants import chosen
from windlass.engine.activities.tidy import CleanUp, Orphan, Tidy
from windlass.engine.activities.verify import Question, Verifier, matched
from windlass.engine.activities.watch import Watch, translated
from windlass.engine.payloads import CheckInput, ErrandInput
from windlass.engine.retry import TRIES

__all__ = ["Affected", "AffectedQuestion", "CheckUp", "ErrandActivities", "Finding", "Question"]

T = TypeVar("T")


@dataclass(frozen=True)
class AffectedQuestion:
    """affected: which tenants hold live rows that this exclusion should have kept out."""

    request: Request
    exclusion: str


@dataclass(frozen=True)
class Affected:
    """One tenant with `{table: live rows that the exclusion keeps out}`."""

    cluster: str
    customer: str
    profile: str
    database: str
    tables: Mapping[str, int]


@dataclass(frozen=True)
class Finding:
    """One line of `doctor`: level is ok, warn or fail."""

    level: str
    what: str
    next_step: str


@dataclass(frozen=True)
class CheckUp:
    """doctor: the datasets to check permissions for."""

    datasets: tuple[Dataset, ...]


class Loader(Protocol):
    """Reads a value of that type back from its JSON."""

    def __call__(self, kind: type[T], text: str) -> T:
        """The value."""
        ...


class ErrandActivities:
    """One activity, `answer`; each kind of question is a method of its own."""

    def __init__(self, desk: Desk, load: Loader, dump: Callable[[object], str]) -> None:
        self._desk, self._load, self._dump = desk, load, dump

    @activity.defn(name="answer", no_thread_cancel_exception=True)
    @translated
    def answer(self, order: ErrandInput) -> None:
        """Answer the request in the ledger; an error of ours is an answer too."""
        self._desk.check_ledger(order.ledger)
        ledger = self._desk.ledger
        number = activity.info().attempt
        kind, payload = ledger.request(order.request, number)
        kinds: dict[str, Callable[[str, Attempt, Watch], object]] = {
            "plan": self._plan,
            "verify": self._verify,
            "affected": self._affected,
            "doctor": self._doctor,
            "orphans": self._orphans,
            "clean": self._clean,
        }
        attempt = self._attempt(f"{kind}/{order.request}", number)
        try:
            with Watch(self._desk, attempt, activity.is_cancelled, lambda _: None) as watch:
                answer = kinds[kind](payload, attempt, watch)
        except WindlassError as error:
            if order.again and _worth_another(error):
                raise
            ledger.fail_request(order.request, error, number)
            return
        ledger.finish_request(order.request, self._dump(answer), number)

    @activity.defn(name="begin-check", no_thread_cancel_exception=True)
    @translated
    def begin_check(self, order: CheckInput) -> ErrandInput:
        """Draw up the next run of a scheduled verification: once per run of its workflow."""
        self._desk.check_ledger(order.ledger)
        token = activity.info().workflow_run_id or order.schedule
        request = self._desk.ledger.begin_check(order.schedule, order.cluster, token)
        return ErrandInput(request, order.ledger, again=True)

    def _attempt(self, subject: str, number: int) -> Attempt:
        """This try; what the one before it left running is killed on both servers."""
        if number > 1:
            self._desk.kill(Attempt("", subject, number - 1))
        return Attempt("", subject, number)

    def _plan(self, payload: str, attempt: Attempt, watch: Watch) -> ClusterPlan:
        request = self._load(Request, payload)
        return Survey(self._desk, request, attempt, watch.pulse).plan()

    def _doctor(self, payload: str, attempt: Attempt, watch: Watch) -> tuple[Finding, ...]:
        checked = self._load(CheckUp, payload)
        found = [*self._desk.source.check(), *self._desk.target.check()]
        found += Tidy(self._desk).findings()
        for dataset in checked.datasets:
            found += [
                (level, f"{dataset.name}.{what}", next_step)
                for level, what, next_step in self._desk.source.check_tables(dataset)
            ]
        return tuple(Finding(*one) for one in found)

    def _orphans(self, payload: str, attempt: Attempt, watch: Watch) -> tuple[Orphan, ...]:
        return tuple(Tidy(self._desk).orphans())

    def _clean(self, payload: str, attempt: Attempt, watch: Watch) -> tuple[Orphan, ...]:
        return tuple(Tidy(self._desk).clean(self._load(CleanUp, payload).orphans))

    def _verify(
        self, payload: str, attempt: Attempt, watch: Watch
    ) -> tuple[TableVerification, ...]:
        question, request = self._load(Question, payload), attempt.subject.partition("/")[2]
        return Verifier(self._desk, question, request, attempt, watch.pulse).tables()

    def _affected(self, payload: str, attempt: Attempt, watch: Watch) -> tuple[Affected, ...]:
        question = self._load(AffectedQuestion, payload)
        dataset = question.request.dataset
        known = {e.name for table in dataset.tables for e in dataset.exclusions_of(table)}
        if question.exclusion not in known:
            raise UsageError(
                f"dataset {dataset.name} has no exclusion {question.exclusion!r}",
                why=f"it has {', '.join(sorted(known)) or 'none'}",
                next_step="choose one of those, or add it to the config",
            )
        return tuple(
            Affected(t.cluster, t.customer, t.profile, t.database, rows)
            for t in chosen(self._desk, question.request)
            for rows in [self._held_out(question, t, attempt, watch)]
        )

    def _held_out(
        self, question: AffectedQuestion, tenant: Tenant, attempt: Attempt, watch: Watch
    ) -> dict[str, int]:
        """Live rows per table that the exclusion should have kept out."""
        dataset, interval = question.request.dataset, question.request.interval
        pieces = [Slice(dataset, spec, tenant, interval) for spec in dataset.tables]
        with self._desk.source.counting(attempt) as counting:
            tallies = counting.tallies(pieces, interval.duration, (), PATIENCE)
        # An estimate may have missed what is excluded.
        some = [
            tally.evidence is not Evidence.COUNTED or tally.count.excluded.get(question.exclusion)
            for tally in tallies
        ]
        return {
            piece.table.name: self._held_out_of(piece, question.exclusion, attempt, watch)
            if any_
            else 0
            for piece, any_ in zip(pieces, some, strict=True)
        }

    def _held_out_of(self, piece: Slice, exclusion: str, attempt: Attempt, watch: Watch) -> int:
        """Only the excluded keys travel; the target finds those that are live."""
        live, pairs = matched(self._desk, piece)
        kept_out = stage_excluded(self._desk, piece, pairs, attempt, None, watch.pulse)
        found = self._desk.target.removed(live, piece, pairs, (), kept_out, attempt)
        self._desk.target.sweep(attempt)
        return found.attributed.get(exclusion, 0)


def _worth_another(error: WindlassError) -> bool:
    """Whether another try may go on where this one ended: a server was away, or the worker
    itself was told to stop."""
    if isinstance(error, CancelledError):
        told = activity.cancellation_details()
        return told is not None and told.worker_shutdown
    return error.kind is Kind.RETRY and activity.info().attempt < TRIES
