"""Brings the timetable's troubles upon a running fleet, from outside, and notes what it did."""

import signal
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from windlass.localstack.fleet import data
from windlass.localstack.fleet.scenario import CREWS, STEADY, Customer
from windlass.localstack.fleet.stage import Stage
from windlass.localstack.fleet.timetable import Kind, Trouble
from windlass.localstack.relay import Slow

if TYPE_CHECKING:
    from windlass.ledger.store import SqlLedger

PARTS = 210
"""Parts that foreign inserts bring about: a few more than the fleet file's first threshold."""
_CARD, _SCORE = 80, 64
"""Bytes of a row of either table in a binary COPY, about."""
_BATCH = 8 << 20
"""Bytes after which the worker sees rows of a COPY: a steady source must be quicker than 18 s."""
_TICK = 0.5
_APART = 20.0
"""Seconds from the end of a trouble to a cluster's next."""


class Client(Protocol):
    """The `windlass run` that somebody watches."""

    def kill(self) -> str:
        """SIGKILL; returns what was killed, in words."""
        ...


@dataclass
class Happening:
    """A trouble that came about: when, how long it lasted, and what was done, with figures.
    `struck` is False where nothing was at work any more that it could have hit."""

    trouble: Trouble
    cluster: str
    database: str = ""
    at: datetime | None = None
    until: datetime | None = None
    did: str = ""
    struck: bool = False
    rule: Slow | None = None


def slow_rules(everybody: Sequence[Customer]) -> dict[str, Slow]:
    """How each source that is throttled behaves. Those that struggled: two thirds of their longest
    table come through in one COPY, then next to nothing. The steady one: slow from the first
    byte to the last, and always the same."""
    rules = {}
    for one in everybody:
        cards, scores = one.scorecards * _CARD, one.scores * _SCORE
        words = (b"COPY (", f"'{one.name}'".encode())
        if one.name == STEADY:
            rules[one.name] = Slow(words, max((cards + scores) / 110, _BATCH / 18))
        else:
            rules[one.name] = Slow(words, max(1.0, scores / 3_600), int(max(cards, scores) * 0.65))
    return rules


@dataclass
class Troubles:
    """All troubles of a run, each in a thread of its own. `finished` says that nothing is left
    to be hit."""

    stage: Stage
    ledger: "SqlLedger"
    clients: Mapping[str, Client]
    say: Callable[[str], None]
    finished: threading.Event
    happenings: list[Happening] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._threads: list[threading.Thread] = []
        # A cluster's troubles come one after the other, so that their answers are told apart.
        self._turns = defaultdict[str, threading.Lock](threading.Lock)
        self._by_name = {one.name: one for one in self.stage.everybody}

    def throttle(self, troubles: Sequence[Trouble]) -> None:
        """Slow the sources down, before anything is read from them."""
        names = [one.where for one in troubles if one.kind is Kind.THROTTLE]
        rules = slow_rules([self._by_name[name] for name in (*names, STEADY)])
        for trouble in troubles:
            if trouble.kind is Kind.THROTTLE:
                customer = self._by_name[trouble.where]
                of = (customer.cluster, customer.database)
                self.happenings.append(Happening(trouble, *of, rule=rules[trouble.where]))
        for name, rule in rules.items():
            relay = self.stage.relays[self._by_name[name].cluster]
            relay.rules = (*relay.rules, rule)

    def begin(self, troubles: Sequence[Trouble]) -> None:
        """From now on each waits for its moment."""
        for trouble in troubles:
            if trouble.kind is not Kind.THROTTLE:
                one = Happening(trouble, self._cluster(trouble))
                self.happenings.append(one)
                thread = threading.Thread(target=self._bring, args=(one,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def end(self) -> None:
        """Return when all have passed; what never got its moment is given up."""
        self.finished.set()
        for thread in self._threads:
            thread.join()
        for one in self.happenings:
            if one.rule is not None:
                one.struck, one.at = one.rule.hits > 0, one.rule.first
                rate = f"{one.rule.rate:,.0f} bytes/s after {one.rule.free:,} bytes of a COPY"
                one.did = f"{rate}: {one.rule.hits} COPY, {one.rule.slowed:,} bytes so slow"

    def _cluster(self, trouble: Trouble) -> str:
        if trouble.kind is Kind.PARTS:
            return self._by_name[trouble.where].cluster
        if trouble.kind is Kind.CLIENT:
            return ""
        return CREWS[trouble.where][0]

    def _bring(self, one: Happening) -> None:
        ready = self._moment(one) and not self.finished.wait(one.trouble.after)
        with self._turns[one.cluster]:
            if not ready or not self._moment(one):
                one.did = "nothing was at work any more"
                return
            one.at, one.struck = datetime.now(UTC), True
            self.say(f"trouble: {one.trouble.kind}, {one.trouble.where}")
            _DEEDS[one.trouble.kind](self, one)
            one.until = datetime.now(UTC)
            self.finished.wait(_APART)

    def _moment(self, one: Happening) -> bool:
        """Wait until there is something to hit; False when there will be nothing."""
        while not self._at_work(one):
            if self.finished.wait(_TICK):
                return False
        return True

    def _at_work(self, one: Happening) -> bool:
        if one.trouble.kind is Kind.CLIENT:
            return one.trouble.where in {c.name for c in self.ledger.campaigns() if c.started_at}
        work = self.ledger.at_work(one.cluster)
        if one.trouble.kind is Kind.PARTS:
            wanted = self._by_name[one.trouble.where].database
            return any(window.database == wanted for window in work.windows)
        if one.trouble.kind is Kind.CUT:
            return bool(work.windows) and self.stage.relays[one.cluster].connections > 1
        return bool(work.windows)

    def kill_worker(self, one: Happening) -> None:
        """SIGKILL; the crew starts another."""
        name = one.trouble.where
        windows = len(self.ledger.at_work(one.cluster).windows)
        pid = self.stage.crew.signal(name, signal.SIGKILL)
        self.stage.crew.await_ready(name)
        one.did = f"pid {pid} killed, windows loading: {windows}; pid "
        one.did += f"{self.stage.crew.pid(name)} serves in its place"

    def stop_worker(self, one: Happening) -> None:
        """SIGSTOP for a while."""
        name, seconds = one.trouble.where, one.trouble.seconds
        windows = len(self.ledger.at_work(one.cluster).windows)
        pid = self.stage.crew.signal(name, signal.SIGSTOP)
        time.sleep(seconds)
        self.stage.crew.signal(name, signal.SIGCONT)
        one.did = f"pid {pid} stood still for {seconds:.0f} s, windows loading: {windows}"

    def cut(self, one: Happening) -> None:
        """Reset every connection to the source."""
        number = self.stage.relays[one.cluster].cut()
        one.did = f"connections to PostgreSQL reset: {number}"

    def kill_client(self, one: Happening) -> None:
        """SIGKILL to the command line that watches."""
        view = self.ledger.status(one.trouble.where)
        did = self.clients[one.trouble.where].kill()
        done = f"{view.windows_done} of {view.windows_total} windows"
        one.did = f"{did}, at {done}, {view.rows_loaded:,} rows"

    def crowd(self, one: Happening) -> None:
        """Others write rows that are there already, before the range, and no merge keeps up."""
        customer = self._by_name[one.trouble.where]
        one.database, table = customer.database, f"{customer.database}.scorecard"
        with data.connect(self.stage.target(one.cluster)) as client:
            client.command(f"system stop merges {table}")
            for _ in range(PARTS):
                client.command(
                    f"insert into {table} select * from {table} "
                    "where created_at < '2025-12-31' limit 1"
                )
            parts = client.query(
                "select count() from system.parts where active and database = {d:String} "
                "and table = 'scorecard' and partition = '202512'",
                parameters={"d": customer.database},
            ).result_rows[0][0]
            time.sleep(one.trouble.seconds)
            client.command(f"system start merges {table}")
            client.command(f"optimize table {table} partition 202512 final")
        one.did = f"{parts} active parts in partition 202512 of {table}, merges stopped for "
        one.did += f"{one.trouble.seconds:.0f} s more"


_DEEDS: Mapping[Kind, Callable[[Troubles, Happening], None]] = {
    Kind.KILL: Troubles.kill_worker,
    Kind.STOP: Troubles.stop_worker,
    Kind.CUT: Troubles.cut,
    Kind.CLIENT: Troubles.kill_client,
    Kind.PARTS: Troubles.crowd,
}
