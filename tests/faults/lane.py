"""One lane: a fleet of one cluster, its ledger, and workers that reach every server through
relays of their own, so that a fault in one lane touches no other."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests.faults.relay import Relay
from tests.faults.steps import Statement
from tests.faults.wire import Wire
from windlass import settings, wiring
from windlass.domain.record import StatusView
from windlass.localstack.stack import Endpoints

if TYPE_CHECKING:
    from windlass.ledger.store import SqlLedger

_CONFIG = """
ledger: {ledger}
clusters:
  {name}:
    temporal: {{address: "{temporal}"}}
    source: {{url: "{postgres}"}}
    target: {{url: "{clickhouse}", staging_database: "{name}_staging"}}
    limits: {{windows: 4, windows_per_tenant: 2}}
datasets:
  cards: &cards
    tenants: {{list: [[acme, voice]]}}
    database: "{name}_cards_{{customer}}_{{profile}}"
    tables:
      card:
        from: {name}.cards
        tenant: {{customer: customer, profile: profile}}
        time: created_at
        key: [card_id]
        version: updated_at
        exclude: {{appeals: "t.kind = 'appeal'"}}
      mark:
        from: {name}.marks
        parent: {{table: card, on: {{card_id: card_id}}}}
        time: created_at
        key: [mark_id]
        version: updated_at
  plain:
    tenants: {{list: [[acme, voice]]}}
    database: "{name}_plain_{{customer}}_{{profile}}"
    tables:
      card:
        from: {name}.cards
        tenant: {{customer: customer, profile: profile}}
        time: created_at
        key: [card_id]
        exclude: {{appeals: "t.kind = 'appeal'"}}
      mark:
        from: {name}.marks
        parent: {{table: card, on: {{card_id: card_id}}}}
        time: created_at
        key: [mark_id]
"""


@dataclass
class Way:
    """The three relays of one worker."""

    clickhouse: Wire
    postgres: Relay
    temporal: Relay

    @property
    def all(self) -> tuple[Relay, ...]:
        return (self.clickhouse, self.postgres, self.temporal)


def _port(url: str) -> int:
    found = urlsplit(url if "//" in url else f"//{url}").port
    assert found
    return found


def through(url: str, port: int) -> str:
    """The URL with another port on the loopback."""
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{port}"))


def through_temporal(lane: "Lane", port: int) -> Path:
    """An operator's config that reaches Temporal there."""
    place, ends = f"127.0.0.1:{port}", lane.endpoints
    return lane.config("operator-relayed", ends.postgres, ends.clickhouse, place)


def make_role(postgres: str, name: str) -> str:
    """A role of the lane's own for its workers: they may read everything. Returns its name."""
    role = f"{name}_reader"
    with psycopg.connect(postgres, autocommit=True) as connection:
        found = connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchall()
        if not found:
            connection.execute(
                f"create role {role} login password 'reader' in role pg_read_all_data, "
                "pg_read_all_stats, pg_signal_backend"
            )
    return role


def as_role(url: str, role: str) -> str:
    """The URL with that role's login."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:reader@{place}"))


def _cli(config: Path) -> list[str]:
    return [sys.executable, "-m", "windlass.cli", "-c", str(config)]


@dataclass
class Worker:
    """A worker process on its own way; `keep`: started again when it dies, as a service is."""

    config: Path
    ready: Path
    log: Path
    cluster: str
    env: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None
    starts: int = 0
    stopped: bool = False

    def start(self) -> None:
        """Start; `await_ready` waits."""
        self.ready.unlink(missing_ok=True)
        self.starts += 1
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*_cli(self.config), "worker", "--cluster", self.cluster],
                env={**os.environ, "WINDLASS_READY_FILE": str(self.ready), **self.env},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def await_ready(self, seconds: float = 90) -> None:
        """Return once it serves; it may have to be started more than once meanwhile."""
        deadline = time.monotonic() + seconds
        while not self.ready.exists():
            assert time.monotonic() < deadline, f"no worker: {self.log.read_text()[-600:]}"
            time.sleep(0.05)

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal(self, number: int) -> None:
        """Send it, if there is still somebody to get it."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.stopped = number == signal.SIGSTOP

    def end(self) -> None:
        """Stop it for good."""
        if self.process is None:
            return
        if self.stopped:
            self.signal(signal.SIGCONT)
        with suppress(ProcessLookupError):
            self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Lane:
    """`name` is the cluster's, the source schema's and the first part of every database's."""

    def __init__(
        self, endpoints: Endpoints, directory: Path, name: str, *, ledger: str = ""
    ) -> None:
        self.endpoints, self.directory, self.name = endpoints, directory, name
        directory.mkdir(parents=True, exist_ok=True)
        self.role = make_role(endpoints.postgres, name)
        self.ledger_url = ledger or f"sqlite:///{directory / 'windlass.db'}"
        self.operator = self.config(
            "operator", endpoints.postgres, endpoints.clickhouse, endpoints.temporal
        )
        self.on_live: Callable[[Statement], None] = lambda _: None
        self.ways: dict[str, Way] = {}
        self.workers: dict[str, Worker] = {}
        self._closing = threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def config(self, kind: str, postgres: str, clickhouse: str, temporal: str) -> Path:
        """A fleet file that reaches the servers there."""
        path = self.directory / f"{kind}.yaml"
        path.write_text(
            _CONFIG.format(
                name=self.name,
                ledger=self.ledger_url,
                temporal=temporal,
                postgres=postgres,
                clickhouse=clickhouse,
            ),
            encoding="utf-8",
        )
        return path

    def hire(self, kind: str = "a", env: dict[str, str] | None = None) -> Worker:
        """A worker with a way of its own, started; the same one when it is there already."""
        if kind in self.workers:
            return self.workers[kind]
        way = Way(
            Wire(_port(self.endpoints.clickhouse), f"{self.name}_staging"),
            Relay(_port(self.endpoints.postgres)),
            Relay(_port(self.endpoints.temporal)),
        )
        config = self.config(
            f"worker-{kind}",
            as_role(through(self.endpoints.postgres, way.postgres.port), self.role),
            through(self.endpoints.clickhouse, way.clickhouse.port),
            f"127.0.0.1:{way.temporal.port}",
        )
        base = self.directory / f"worker-{kind}"
        worker = Worker(
            config, base.with_suffix(".ready"), base.with_suffix(".log"), self.name, env or {}
        )
        way.clickhouse.on_live = self._seen
        self.ways[kind] = way
        worker.start()
        self.workers[kind] = worker
        return worker

    def _seen(self, statement: Statement) -> None:
        self.on_live(statement)

    def dismiss(self, kind: str) -> None:
        """End that worker and its way."""
        worker = self.workers.pop(kind, None)
        if worker:
            worker.end()
        way = self.ways.pop(kind, None)
        for relay in way.all if way else ():
            relay.close()

    def _keep(self) -> None:
        """Start dead workers again at once."""
        while not self._closing.wait(0.1):
            for worker in list(self.workers.values()):
                if not worker.alive:
                    worker.start()

    @cached_property
    def fleet(self) -> settings.Fleet:
        return settings.load(self.operator)

    @cached_property
    def ledger(self) -> "SqlLedger":
        return wiring.open_ledger(self.fleet)

    def wait(self, campaign: str, seconds: float) -> StatusView:
        """The campaign's status once nothing moves any more; as it is when the time is up."""
        deadline = time.monotonic() + seconds
        while True:
            view = self.ledger.status(campaign)
            if view.state.final or time.monotonic() > deadline:
                return view
            time.sleep(0.15)

    def windlass(
        self, *words: str, config: Path | None = None, seconds: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """The command line."""
        return subprocess.run(
            [*_cli(config or self.operator), *words],
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def operate(
        self, words: Sequence[str], log: Path, config: Path | None = None
    ) -> "subprocess.Popen[bytes]":
        """The command line, left running."""
        with log.open("ab") as out:
            return subprocess.Popen(
                [*_cli(config or self.operator), *words],
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
            )

    @property
    def temporal_port(self) -> int:
        return _port(self.endpoints.temporal)

    def begun(self, campaign: str) -> bool:
        """Whether the campaign's workflow runs."""
        found = asyncio.run(wiring.workflow_state(self.fleet, campaign, self.name))
        return found == "RUNNING"

    def cancel(self, campaign: str) -> None:
        """As an operator would."""
        asyncio.run(wiring.cancel(self.fleet, campaign, who="faults", reason="a fault run"))

    def calm(self) -> None:
        """All relays as new."""
        for way in self.ways.values():
            for relay in way.all:
                relay.calm()

    def recover(self) -> None:
        """Whatever a run that broke has left: one worker, awake, on relays as new."""
        self.calm()
        for kind in [kind for kind in self.workers if kind != "a"]:
            self.dismiss(kind)
        worker = self.hire("a")
        if worker.stopped:
            worker.signal(signal.SIGCONT)

    def close(self) -> None:
        """End the workers and relays."""
        self._closing.set()
        self._keeper.join()
        self.calm()
        for kind in list(self.workers):
            self.dismiss(kind)
        if "ledger" in self.__dict__:
            self.ledger.close()
