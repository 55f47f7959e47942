"""One governor a cluster: asks the servers how they fare, and steers what is in flight by it."""

import asyncio
import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from windlass.domain.errors import UnreachableError, WindlassError
from windlass.domain.health import Course, Reading, Thresholds, shown
from windlass.engine.activities.desk import Desk
from windlass.engine.payloads import CutOrder, News, TenantRef
from windlass.engine.worker.warden import Planned, Warden
from windlass.engine.workflows.campaign import CampaignWorkflow
from windlass.planner.struggle import PATIENCE
from windlass.planner.throttle import steer
from windlass.ports import Clock
from windlass.ports.health import AtWork, HealthLedger, HealthySource, HealthyTarget, Sight

EVERY = 2.0
"""Seconds between two looks."""
LEASE = 10.0
"""Seconds after which another worker's governor takes over from one that is silent."""
SELDOM = 5
"""Looks between two at how many windows failed."""
_GRACE = 2.0
_PATIENCE = 10.0

Tell = Callable[[str, News], None]
"""Word to that campaign's workflow. Raises WindlassError where it cannot be brought."""

log = logging.getLogger("windlass")


@dataclass(frozen=True)
class Servers:
    """Who is asked, what their figures mean, and how many seconds a window may struggle."""

    source: HealthySource
    target: HealthyTarget
    thresholds: Thresholds
    patience: float = PATIENCE


@dataclass
class Governor:
    """Looks when told to. `most` windows are wanted, `tables` names those that a campaign loads.

    Of several workers of a cluster one is at the helm; what it sets stands in the ledger, where
    every campaign finds it as it finds operators' orders.
    """

    cluster: str
    most: int
    servers: Servers
    ledger: HealthLedger
    clock: Clock
    tables: Callable[[str], Sequence[str]]
    planned: Callable[[Sight], Planned]
    tell: Tell
    holder: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        self._shown: dict[str, str] = {}
        self._owed: dict[str, News] = {}
        self._silent: tuple[str, ...] = ()
        self._among: tuple[str, ...] = ()
        self._opened: set[str] = set()
        self._looks = 0
        self._warden = Warden(
            self.cluster, self.ledger, self.planned, self._cut, self.servers.patience
        )

    @classmethod
    def at(
        cls, desk: Desk, most: int, servers: Servers, ledger: HealthLedger, tell: Tell
    ) -> "Governor":
        """That of the desk's cluster, which knows its campaigns' plans."""
        tables, planned = tables_by(desk), planned_by(desk)
        return cls(desk.cluster, most, servers, ledger, desk.clock, tables, planned, tell)

    def look(self) -> None:
        """One look, where the cluster has work and no other worker's governor looks."""
        work = self.ledger.at_work(self.cluster)
        self._among = self._among or work.campaigns
        if not work.campaigns:
            self._among = ()
            return
        mine, known = self.ledger.govern(self.cluster, self.holder, LEASE)
        if not mine:
            self._shown.clear()
            self._opened.clear()
            self._warden.forget()
            return
        before = known or Course(self.most)
        readings, silent = self._read(work)
        rate = sum(one.recent or 0.0 for one in work.windows)
        after = steer(
            replace(before, spared=(), blocks=()),
            readings,
            self.servers.thresholds,
            self.most,
            rate,
            blind=bool(silent),
        )
        care = self._warden.look(work, self.clock.now(), held=after.limited)
        self._set(work, before, replace(after, spared=care.spared, blocks=care.blocks))
        self._say(work, before, after, readings, silent)
        self._stop_failing(work)
        self._let_in(work)
        self._bring(work)

    def _read(self, work: AtWork) -> tuple[list[Reading], tuple[str, ...]]:
        """What both servers tell, and which of them do not answer."""
        names = [
            (database, table)
            for campaign, database in work.databases
            for table in self.tables(campaign)
        ]
        asked = {
            "clickhouse": lambda: self.servers.target.health(names),
            "postgres": self.servers.source.health,
        }
        readings: list[Reading] = []
        silent = []
        for server, ask in asked.items():
            try:
                readings += ask()
            except WindlassError as error:
                log.warning("%s: the health of %s: %s", self.cluster, server, error)
                silent.append(server)
        return readings, tuple(silent)

    def _set(self, work: AtWork, before: Course, after: Course) -> None:
        if after != before:
            self.ledger.set_course(self.cluster, after)
        news = (after.windows, after.spared) != (before.windows, before.spared)
        if news or self._among != work.campaigns:
            for campaign in work.campaigns:
                self._owe(campaign, News())
        self._among = work.campaigns

    def _say(
        self,
        work: AtWork,
        before: Course,
        after: Course,
        readings: Sequence[Reading],
        silent: tuple[str, ...],
    ) -> None:
        """Show what limits on every campaign; tell when that begins and ends."""
        unread = f"the health of {' and '.join(silent)} cannot be read: nothing gets faster"
        text = "; ".join(part for part in (shown(after, self.most), unread * bool(silent)) if part)
        for campaign in work.campaigns:
            if self._shown.get(campaign) != text:
                self.ledger.show_limit(campaign, self.cluster, text)
        self._shown = dict.fromkeys(work.campaigns, text)
        if before.limited != after.limited:
            self._event(work, *_turn(before, after, readings, self.most))
        if silent != self._silent:
            known = "the health of both servers is known again"
            self._event(work, "health", unread if silent else known)
            self._silent = silent

    def _event(self, work: AtWork, kind: str, text: str) -> None:
        for campaign in work.campaigns:
            self.ledger.event(campaign, self.cluster, "", "", kind, text)

    def _stop_failing(self, work: AtWork) -> None:
        self._looks += 1
        if self._looks % SELDOM:
            return
        for campaign in work.campaigns:
            if self.ledger.stop_failing(campaign):
                self._owe(campaign, News())

    def _let_in(self, work: AtWork) -> None:
        """Canaries of a campaign, perhaps on another cluster, are verified: the rest begins."""
        for campaign in set(work.opened) - self._opened:
            self._owe(campaign, News())
        self._opened = set(work.opened)

    def _cut(self, campaign: str, order: CutOrder) -> None:
        self._owe(campaign, News((), (order,)))

    def _owe(self, campaign: str, news: News) -> None:
        known = self._owed.get(campaign, News())
        self._owed[campaign] = News(known.again + news.again, known.cuts + news.cuts)

    def _bring(self, work: AtWork) -> None:
        """A Temporal that does not answer is told at the next look."""
        for campaign in list(self._owed):
            if campaign in work.campaigns:
                self.tell(campaign, self._owed[campaign])
            del self._owed[campaign]


def _turn(before: Course, after: Course, readings: Sequence[Reading], most: int) -> tuple[str, str]:
    if not after.limited:
        return "throttle ended", f"{before.cause}: all {most} windows; least were {before.least}"
    where = next((one.where for one in readings if one.name == after.name), "")
    pace = f", {after.rows_per_second:,} rows/s" if after.rows_per_second else ""
    place = f" ({where})" if where else ""
    return "throttled", f"{after.cause}{place}: {most} -> {after.windows} windows{pace}"


@contextmanager
def governed(governor: Governor, every: float = EVERY) -> Iterator[None]:
    """Look every `every` seconds, for as long as the block runs. A look that fails is followed by
    the next; one that hangs holds up no worker's end."""
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(every):
            try:
                governor.look()
            except WindlassError as error:
                log.warning("%s: not governed for now: %s", governor.cluster, error)

    thread = threading.Thread(target=run, name="governor", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_GRACE)


def planned_by(desk: Desk) -> Callable[[Sight], Planned]:
    """What the campaign's plan says of a window."""

    def planned(one: Sight) -> Planned:
        plan = desk.plan(one.campaign)
        tenant = desk.tenant(TenantRef(one.campaign, desk.cluster, one.database))
        found = (w.expected for g in tenant.groups for w in g.windows if w.id == one.window)
        return Planned(next(found, None), plan.request.mode)

    return planned


def tables_by(desk: Desk) -> Callable[[str], list[str]]:
    """The tables that a campaign loads."""
    return lambda campaign: [one.name for one in desk.plan(campaign).request.dataset.tables]


def teller(client: Client, name: Callable[[str], str]) -> Tell:
    """Word to campaigns' workflows (their ids by `name`) through the client's own loop. One that
    has ended needs none."""
    loop = asyncio.get_running_loop()

    def tell(campaign: str, news: News) -> None:
        handle = client.get_workflow_handle(name(campaign))
        sending = handle.signal(CampaignWorkflow.news, news)
        try:
            asyncio.run_coroutine_threadsafe(sending, loop).result(timeout=_PATIENCE)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise UnreachableError("Temporal does not answer", why=str(error)) from error
        except TimeoutError as error:
            raise UnreachableError("Temporal does not answer in time") from error

    return tell
