"""Answers to an operator's questions, found where the databases can be reached."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from temporalio import activity

from windlass.domain.attempt import Attempt
from windlass.domain.dataset import Dataset, Slice
from windlass.domain.errors import PlanError, UsageError, WindlassError
from windlass.domain.plan import ClusterPlan, Request
from windlass.domain.results import KeyDifference, TableVerification
from windlass.domain.states import Verdict
from windlass.domain.tenant import Tenant, TenantPattern, database_name
from windlass.engine.activities.compare import Comparer, Comparison
from windlass.engine.activities.desk import Desk, stage_excluded
from windlass.engine.activities.survey import Survey
from windlass.engine.activities.tidy import CleanUp, Orphan, Tidy
from windlass.engine.activities.watch import Watch, translated
from windlass.engine.payloads import ErrandInput
from windlass.verify.pairs import match

T = TypeVar("T")


@dataclass(frozen=True)
class Question:
    """verify: compare the request's range, naming at most `keys` keys per table."""

    request: Request
    keys: int = 20


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
        kind, payload = ledger.request(order.request)
        kinds: dict[str, Callable[[str, Attempt, Watch], object]] = {
            "plan": self._plan,
            "verify": self._verify,
            "affected": self._affected,
            "doctor": self._doctor,
            "orphans": self._orphans,
            "clean": self._clean,
        }
        attempt = Attempt("", f"{kind}/{order.request}", 1)
        try:
            with Watch(self._desk, attempt, activity.is_cancelled, lambda _: None) as watch:
                answer = kinds[kind](payload, attempt, watch)
        except WindlassError as error:
            ledger.fail_request(order.request, error)
            return
        ledger.finish_request(order.request, self._dump(answer))

    def _plan(self, payload: str, attempt: Attempt, watch: Watch) -> ClusterPlan:
        request = self._load(Request, payload)
        return Survey(self._desk, request, attempt).plan()

    def _doctor(self, payload: str, attempt: Attempt, watch: Watch) -> tuple[Finding, ...]:
        checked = self._load(CheckUp, payload)
        found = [*self._desk.source.check(), *self._desk.target.check()]
        found += Tidy(self._desk).findings()
        for dataset in checked.datasets:
            for table in dataset.tables:
                found.append(self._check_table(dataset.name, table.name, dataset))
        return tuple(Finding(*one) for one in found)

    def _orphans(self, payload: str, attempt: Attempt, watch: Watch) -> tuple[Orphan, ...]:
        return tuple(Tidy(self._desk).orphans())

    def _clean(self, payload: str, attempt: Attempt, watch: Watch) -> tuple[Orphan, ...]:
        return tuple(Tidy(self._desk).clean(self._load(CleanUp, payload).orphans))

    def _check_table(self, name: str, table: str, dataset: Dataset) -> tuple[str, str, str]:
        try:
            columns = self._desk.source.columns(dataset.table(table), dataset)
        except WindlassError as error:
            return "fail", f"{name}.{table}: {error.what}", error.next_step
        return "ok", f"{name}.{table}: {len(columns)} source columns readable", ""

    def _verify(
        self, payload: str, attempt: Attempt, watch: Watch
    ) -> tuple[TableVerification, ...]:
        question = self._load(Question, payload)
        request = question.request
        with self._desk.source.hold(attempt) as held:
            return tuple(
                self._verify_table(question, tenant, table.name, attempt, held.snapshot.id, watch)
                for tenant in self._tenants(request)
                for table in request.dataset.tables
            )

    def _tenants(self, request: Request) -> list[Tenant]:
        dataset = request.dataset
        found = [
            Tenant(self._desk.cluster, c, p, database_name(dataset.database, c, p))
            for c, p in self._desk.source.tenants(dataset)
        ]
        chosen = [t for t in found if _any(request.tenants, t) and not _any(request.excepted, t)]
        if chosen:
            return chosen
        customers = ", ".join(sorted({t.customer for t in found})[:10])
        raise UsageError(
            f"no tenant of {self._desk.cluster} matches {', '.join(request.tenants)}",
            why=f"{len(found)} tenants were found: {customers}",
            next_step="windlass plan shows them all: give `all` for TENANTS",
        )

    def _comparer(
        self, piece: Slice, attempt: Attempt, snapshot: str | None, watch: Watch
    ) -> Comparer:
        spec, database = piece.table, piece.tenant.database
        live = self._desk.target.describe(database, spec.name)
        if live is None:
            raise PlanError(
                "the target table does not exist",
                where=f"{database}.{spec.name}",
                next_step=f"create it, or leave the tenant out: --except {piece.tenant.customer}",
            )
        matched = match(self._desk.source.columns(spec, piece.dataset), live.columns)
        if matched.refusals:
            raise PlanError("; ".join(matched.refusals), where=f"{database}.{spec.name}")
        desk = self._desk
        return Comparer(
            desk.source, desk.target, live, matched.pairs, attempt, snapshot, watch.pulse
        )

    def _verify_table(
        self,
        question: Question,
        tenant: Tenant,
        table: str,
        attempt: Attempt,
        snapshot: str,
        watch: Watch,
    ) -> TableVerification:
        dataset = question.request.dataset
        piece = Slice(dataset, dataset.table(table), tenant, question.request.interval)
        found = self._comparer(piece, attempt, snapshot, watch).compare(piece)
        return verification(piece, found, question.keys)

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
            for t in self._tenants(question.request)
            for rows in [self._held_out(question, t, attempt, watch)]
        )

    def _held_out(
        self, question: AffectedQuestion, tenant: Tenant, attempt: Attempt, watch: Watch
    ) -> dict[str, int]:
        """Live rows per table that the exclusion should have kept out."""
        dataset, interval = question.request.dataset, question.request.interval
        pieces = [Slice(dataset, spec, tenant, interval) for spec in dataset.tables]
        return {
            piece.table.name: self._held_out_of(piece, question.exclusion, attempt, watch)
            for piece in pieces
        }

    def _held_out_of(self, piece: Slice, exclusion: str, attempt: Attempt, watch: Watch) -> int:
        """Only the excluded keys travel; the target finds those that are live."""
        if not self._desk.source.count(piece, (), attempt, None).excluded.get(exclusion):
            return 0
        asked = self._comparer(piece, attempt, None, watch)
        kept_out = stage_excluded(self._desk, piece, asked.pairs, attempt, None, watch.pulse)
        found = self._desk.target.removed(asked.live, piece, asked.pairs, (), kept_out, attempt)
        self._desk.target.sweep(attempt)
        return found.attributed.get(exclusion, 0)


def _any(patterns: tuple[str, ...], tenant: Tenant) -> bool:
    return any(TenantPattern.parse(p).matches(tenant) for p in patterns)


def attributed(found: Comparison) -> dict[str, int]:
    """`{exclusion: extra live rows it explains}` over all differing steps."""
    counts: dict[str, int] = {}
    for one in found.differences:
        for name, rows in one.keys.attributed_counts().items():
            counts[name] = counts.get(name, 0) + rows
    return counts


def verification(piece: Slice, found: Comparison, limit: int) -> TableVerification:
    """The figures of a comparison, with at most `limit` keys."""
    diffs = [one.keys for one in found.differences]
    explained = attributed(found)
    keys: list[KeyDifference] = []
    for one in diffs:
        for kind, table in (
            ("missing", one.missing),
            ("different", one.different),
            ("extra", one.extra),
            ("extra", one.attributed),
        ):
            keys += _named(kind, table.slice(0, max(0, limit - len(keys))).to_pylist())
    extra = sum(one.extra.num_rows + one.duplicates for one in diffs) + sum(explained.values())
    missing = sum(one.missing.num_rows for one in diffs)
    different = sum(one.different.num_rows for one in diffs)
    return replace(
        TableVerification(
            piece.tenant.cluster,
            piece.tenant.database,
            piece.table.name,
            found.source_rows,
            found.target_rows,
        ),
        missing=missing,
        extra=extra,
        different=different,
        attributed=explained,
        verdict=Verdict.MISMATCH if extra or missing or different else Verdict.VERIFIED,
        keys=tuple(keys),
    )


def _named(kind: str, rows: list[dict[str, str]]) -> list[KeyDifference]:
    return [KeyDifference(kind, row, reason=row.pop("excluded", "") or "") for row in rows]
