"""Everything behind the command line, as one seam: `Wired` is real, tests bring their own."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from windlass.cli.control import OperatorLedger, Ordering
from windlass.domain.errors import WindlassError
from windlass.domain.orders import Change, LimitChange, Order
from windlass.domain.record import Scope
from windlass.domain.tenant import database_name
from windlass.domain.undo import GroupUndo, UndoOrder
from windlass.ports import CheckSchedule

if TYPE_CHECKING:
    from windlass.domain.dataset import Dataset
    from windlass.domain.plan import Guard, Plan, Request
    from windlass.domain.results import TableVerification
    from windlass.engine.activities.errands import Affected, Finding
    from windlass.engine.activities.tidy import Orphan
    from windlass.engine.activities.verify import Question
    from windlass.engine.payloads import CutOrder
    from windlass.engine.payloads.orders import UndoResult
    from windlass.settings import Fleet

T = TypeVar("T")

OnWait = Callable[[str], None]
"""Called with a line for the operator whenever a question has to wait."""


@dataclass(frozen=True)
class Start:
    """What a campaign is started with, beside its plan. `who` is user@host, `command` the
    command line as typed, `supersedes` an older campaign that has ended for it ('' none)."""

    name: str
    reason: str
    who: str
    command: str
    supersedes: str = ""


@dataclass(frozen=True)
class Reply(Generic[T]):
    """What one cluster said: its answer, or the error in the place of one."""

    cluster: str
    answer: T | None = None
    error: WindlassError | None = None


class Backend(Protocol):
    """What commands ask for. All errors are WindlassError."""

    @property
    def fleet(self) -> "Fleet":
        """The config file, read and checked."""
        ...

    @property
    def ledger(self) -> "OperatorLedger":
        """The record, opened without asking anything of clusters."""
        ...

    def plan(self, request: "Request", on_wait: OnWait) -> "Plan":
        """All clusters of the request asked at once; one that cannot be is in the plan with
        its failure."""
        ...

    def verify(
        self, question: "Question", on_wait: OnWait
    ) -> "list[Reply[Sequence[TableVerification]]]":
        """Source against target, per cluster of the request."""
        ...

    def schedule_check(self, check: CheckSchedule, question: "Question") -> None:
        """Have the cluster's worker ask that by itself; the schedule's own question is filled
        in here."""
        ...

    def unschedule_check(self, check: CheckSchedule) -> None:
        """End it; its runs stay on record."""
        ...

    def affected(
        self, request: "Request", exclusion: str, on_wait: OnWait
    ) -> "list[Reply[Sequence[Affected]]]":
        """Rows that tenants hold though the exclusion should have kept them out."""
        ...

    def doctor(self, cluster: str, on_wait: OnWait) -> "Sequence[Finding]":
        """What the cluster's worker finds about both databases. UnreachableError: Temporal is
        down, or no worker serves the queue."""
        ...

    def reach(self, cluster: str) -> Sequence[tuple[str, str, str]]:
        """(level, what, next step) of Temporal, namespace and worker. UnreachableError: Temporal
        does not answer."""
        ...

    def grants(self, cluster: str) -> Mapping[str, Sequence[str]]:
        """SQL for the owners of source and target, under those names. No server is asked."""
        ...

    def start(self, plan: "Plan", start: Start) -> str:
        """Record the campaign and start its workflows; returns its name."""
        ...

    def cancel(self, campaign: str, who: str, reason: str) -> None:
        """Ask for the end; the ledger tells when nothing is left on any server."""
        ...

    def order(self, order: Order, guard: "Guard | None" = None) -> list[Change]:
        """Have parts of a campaign paused, resumed, cancelled, retried: in the record, with who
        and why, and at the workflows. RefusedError: it changes nothing."""
        ...

    def limit(
        self,
        scopes: Sequence[Scope],
        limits: Mapping[str, int | None],
        who: str,
        why: str,
    ) -> list[LimitChange]:
        """Set limits of one campaign's parts while it runs; None lifts one."""
        ...

    def split(self, campaign: str, cuts: "Mapping[str, Sequence[CutOrder]]") -> None:
        """Have groups cut again, `{cluster: cuts}`."""
        ...

    def undo(
        self,
        campaign: str,
        dataset: str,
        groups: Sequence[GroupUndo],
        order: UndoOrder,
        on_wait: OnWait,
    ) -> "Sequence[UndoResult]":
        """Put these groups back; a result per tenant, in the order of their first groups."""
        ...

    def orphans(self, cluster: str, on_wait: OnWait) -> "Sequence[Orphan]":
        """What dead attempts left on the cluster's target."""
        ...

    def clean(
        self, cluster: str, orphans: "Sequence[Orphan]", on_wait: OnWait
    ) -> "Sequence[Orphan]":
        """Remove these, as far as they still are orphans; returns what is gone."""
        ...

    def pulse(self, campaign: str) -> None:
        """Raises unless the workflows behind a running campaign are alive."""
        ...

    def run_worker(self, clusters: Sequence[str]) -> int:
        """Serve these clusters until a signal comes; returns the exit code."""
        ...


class Wired(Ordering):
    """The real thing, from the config file and `windlass.wiring`."""

    def __init__(self, config: Path | None) -> None:
        self._config = config

    @cached_property
    def fleet(self) -> "Fleet":
        """The config file, read and checked; SQL texts too."""
        from windlass import wiring

        return wiring.open_fleet(self._config)

    @cached_property
    def ledger(self) -> OperatorLedger:
        """The ledger. SQL texts of the config are not checked for it: that takes longer than
        the answer."""
        from windlass import settings, wiring

        return wiring.open_ledger(settings.load(settings.find(self._config), sql=False))

    def plan(self, request: "Request", on_wait: OnWait) -> "Plan":
        """Ask all clusters at once."""
        from windlass import wiring

        return asyncio.run(wiring.plan(self.fleet, request, on_wait=on_wait))

    def verify(
        self, question: "Question", on_wait: OnWait
    ) -> "list[Reply[Sequence[TableVerification]]]":
        """Ask all clusters at once."""
        from windlass.domain.results import TableVerification

        answer = tuple[TableVerification, ...]
        return self._ask_all(question.request.clusters, "verify", question, answer, on_wait)

    def schedule_check(self, check: CheckSchedule, question: "Question") -> None:
        """Into the ledger first: a run must find its question."""
        from windlass.cli import temporal_checks
        from windlass.domain import codec
        from windlass.wiring import temporal

        async def create() -> None:
            client = await temporal.connect(self.fleet.cluster(check.cluster))
            asked = replace(check, question=codec.dump(question))
            self.ledger.save_check(asked)
            try:
                await temporal_checks.create(client, asked, self.ledger.ledger_id())
            except WindlassError:
                self.ledger.end_check(check.name, check.cluster)
                raise

        asyncio.run(create())

    def unschedule_check(self, check: CheckSchedule) -> None:
        """At Temporal first: what runs there must be on record here."""
        from windlass.cli import temporal_checks
        from windlass.wiring import temporal

        async def delete() -> None:
            client = await temporal.connect(self.fleet.cluster(check.cluster))
            await temporal_checks.delete(client, check)

        asyncio.run(delete())
        self.ledger.end_check(check.name, check.cluster)

    def affected(
        self, request: "Request", exclusion: str, on_wait: OnWait
    ) -> "list[Reply[Sequence[Affected]]]":
        """Ask all clusters at once."""
        from windlass.engine.activities.errands import Affected, AffectedQuestion

        question = AffectedQuestion(request, exclusion)
        return self._ask_all(request.clusters, "affected", question, tuple[Affected, ...], on_wait)

    def doctor(self, cluster: str, on_wait: OnWait) -> "Sequence[Finding]":
        """Ask the cluster's worker."""
        from windlass.engine.activities.errands import CheckUp, Finding

        check = CheckUp(tuple(self.fleet.dataset(name) for name in self.fleet.datasets))
        (reply,) = self._ask_all([cluster], "doctor", check, tuple[Finding, ...], on_wait)
        if reply.error:
            raise reply.error
        return reply.answer or ()

    def reach(self, cluster: str) -> Sequence[tuple[str, str, str]]:
        """Connect, and look who polls."""
        return asyncio.run(self._reach(cluster))

    async def _reach(self, name: str) -> Sequence[tuple[str, str, str]]:
        from windlass.cli import temporal_strays
        from windlass.wiring import temporal

        cluster = self.fleet.cluster(name)
        client = await temporal.connect(cluster)
        answers = ("ok", f"Temporal answers at {cluster.temporal.address}", "")
        try:
            with temporal.answering(cluster):
                polled = await temporal.served(client, name)
        except WindlassError as error:
            return [answers, ("fail", f"{error.what}: {error.why}", error.next_step)]
        if not polled:
            missing = temporal.no_worker(name)
            return [answers, ("fail", missing.what, missing.next_step)]
        serves = f"a worker polls {cluster.task_queue} in namespace {cluster.temporal.namespace}"
        strays = await temporal_strays.strays(client, self.ledger, name)
        return [answers, ("ok", serves, ""), *strays]

    def grants(self, cluster: str) -> Mapping[str, Sequence[str]]:
        """From the adapters, for every dataset; where tenants come from a query, their database
        is left for the owner to fill in."""
        from windlass import wiring
        from windlass.source.postgres import PostgresSource

        at = self.fleet.cluster(cluster)
        datasets = [self.fleet.dataset(name) for name in self.fleet.datasets]
        source = PostgresSource(at.source.url.get_secret_value())
        target = wiring.target_of(at)
        databases = sorted({name for one in datasets for name in _databases(one)})
        reading = dict.fromkeys(sql for one in datasets for sql in source.grants(one))
        return {"source": list(reading), "target": target.grants(databases)}

    def _ask_all(
        self, clusters: Sequence[str], kind: str, payload: object, answer: type[T], on_wait: OnWait
    ) -> list[Reply[T]]:
        return asyncio.run(self._gather(clusters, kind, payload, answer, on_wait))

    async def _gather(
        self, clusters: Sequence[str], kind: str, payload: object, answer: type[T], on_wait: OnWait
    ) -> list[Reply[T]]:
        from windlass import wiring
        from windlass.domain import codec

        text = codec.dump(payload)

        async def one(cluster: str) -> Reply[T]:
            try:
                said = await wiring.ask(self.fleet, cluster, kind, text, on_wait=on_wait)
            except WindlassError as error:
                return Reply(cluster, error=error)
            return Reply(cluster, codec.load(answer, said))

        return list(await asyncio.gather(*(one(cluster) for cluster in clusters)))

    def start(self, plan: "Plan", start: Start) -> str:
        """Record and start."""
        from windlass import wiring

        return asyncio.run(
            wiring.start(
                self.fleet,
                plan,
                name=start.name,
                reason=start.reason,
                who=start.who,
                command=start.command,
                supersedes=start.supersedes,
            )
        )

    def cancel(self, campaign: str, who: str, reason: str) -> None:
        """Ask for the end."""
        from windlass import wiring

        asyncio.run(wiring.cancel(self.fleet, campaign, who=who, reason=reason))

    def undo(
        self,
        campaign: str,
        dataset: str,
        groups: Sequence[GroupUndo],
        order: UndoOrder,
        on_wait: OnWait,
    ) -> "Sequence[UndoResult]":
        """Into the record first, then to the tenants' workers."""
        from windlass.cli import temporal_undo

        for cluster, database in temporal_undo.by_tenant(groups):
            scope = Scope(campaign, cluster, database)
            verb = "undo --force" if order.force else "undo"
            self.ledger.action(scope, verb, order.who, order.why)
        ledger = self.ledger.ledger_id()
        return asyncio.run(
            temporal_undo.undo(self.fleet, ledger, campaign, dataset, groups, order, on_wait)
        )

    def orphans(self, cluster: str, on_wait: OnWait) -> "Sequence[Orphan]":
        """Ask the cluster's worker."""
        return self._of_orphans(cluster, "orphans", (), on_wait)

    def clean(
        self, cluster: str, orphans: "Sequence[Orphan]", on_wait: OnWait
    ) -> "Sequence[Orphan]":
        """Ask the cluster's worker, which looks again before it removes anything."""
        wanted = tuple((one.kind, one.name) for one in orphans)
        return self._of_orphans(cluster, "clean", wanted, on_wait)

    def _of_orphans(
        self, cluster: str, kind: str, wanted: tuple[tuple[str, str], ...], on_wait: OnWait
    ) -> "Sequence[Orphan]":
        from windlass.engine.activities.tidy import CleanUp, Orphan

        answer = tuple[Orphan, ...]
        (reply,) = self._ask_all([cluster], kind, CleanUp(wanted), answer, on_wait)
        if reply.error:
            raise reply.error
        return reply.answer or ()

    def pulse(self, campaign: str) -> None:
        """Look whether the workflows are alive."""
        from windlass import wiring

        asyncio.run(wiring.pulse(self.fleet, campaign))

    def run_worker(self, clusters: Sequence[str]) -> int:
        """Serve these clusters until a signal comes."""
        from windlass import wiring

        return wiring.run_worker(self.fleet.path, clusters)


def _databases(dataset: "Dataset") -> Iterable[str]:
    """The tenants' databases, or the template where nobody can know them without asking."""
    if not dataset.tenants_list:
        return [dataset.database]
    return [database_name(dataset.database, *pair) for pair in dataset.tenants_list]
