"""The stage of the fleet demo: one PostgreSQL and one Temporal, with a database and a namespace
for each cluster; a ClickHouse for each cluster with data, since a cluster sees all databases of
its own; a relay before each source; workers."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from windlass.domain.errors import RefusedError
from windlass.localstack.endpoints import Endpoints
from windlass.localstack.fleet import config, data
from windlass.localstack.fleet.config import Places
from windlass.localstack.fleet.crew import Crew
from windlass.localstack.fleet.scenario import CLUSTERS, CREWS, Customer
from windlass.localstack.relay import Relay
from windlass.localstack.stack import LocalStack

_MARK = "fleet-demo"
_FULL = tuple(name for name, customers in CLUSTERS.items() if customers)


class Stage:
    """Servers, relays and workers of one run, all below `directory`."""

    def __init__(
        self, directory: Path, everybody: Sequence[Customer], say: Callable[[str], None]
    ) -> None:
        self.everybody, self._say = tuple(everybody), say
        self.stack = LocalStack(directory, progress=say, targets=_FULL, namespaces=tuple(CLUSTERS))
        self.directory = self.stack.directory
        self.relays: dict[str, Relay] = {}
        self.crew = Crew(self.directory, self.config, CREWS)
        self.endpoints: Endpoints | None = None

    @property
    def config(self) -> Path:
        """The fleet file."""
        return self.directory / "windlass.yaml"

    @property
    def ledger(self) -> str:
        """The ledger's URL."""
        return f"sqlite:///{self.directory / 'windlass.db'}"

    def of(self, cluster: str) -> list[Customer]:
        """The cluster's customers."""
        return [one for one in self.everybody if one.cluster == cluster]

    def target(self, cluster: str) -> str:
        """The URL of the cluster's ClickHouse; those without data share one."""
        assert self.endpoints is not None
        return self.stack.target_url(cluster) if cluster in _FULL else self.endpoints.clickhouse

    def source(self, cluster: str) -> str:
        """The URL of the cluster's database, past its relay."""
        assert self.endpoints is not None
        return data.source_url(self.endpoints.postgres, cluster)

    def set_up(self) -> None:
        """Everything anew, filled, relayed. Raises RefusedError where something else lives."""
        self._clear()
        (self.directory).mkdir(parents=True, exist_ok=True)
        (self.directory / _MARK).touch()
        self.endpoints = self.stack.up(workers=0)
        self._fill(self.endpoints)
        port = urlsplit(self.endpoints.postgres).port
        assert port
        self.relays = {name: Relay(port) for name in _FULL}
        self.configure(relayed=True)
        self.crew.start()

    def configure(self, *, relayed: bool) -> None:
        """Write the fleet file; `relayed`: sources are reached through the relays."""
        assert self.endpoints is not None
        places = {
            name: Places(
                self._through(name) if relayed and name in self.relays else self.source(name),
                self.target(name),
            )
            for name in CLUSTERS
        }
        config.write(self.config, self.endpoints.temporal, self.ledger, places)

    def leave(self, *, down: bool) -> None:
        """End the relays and this run's workers. Unless all is to go `down`, servers stay, with
        one worker on a fleet file that needs no relay."""
        self._say("ending the workers" + (" and servers" if down else ""))
        try:
            self.crew.close()
            for relay in self.relays.values():
                relay.close()
        finally:
            if down:
                self.stack.down()
            elif self.endpoints is not None:
                self.configure(relayed=False)
                self.stack.up(workers=1)

    def _clear(self) -> None:
        if (self.directory / "stack.json").exists() and not (self.directory / _MARK).exists():
            raise RefusedError(
                f"{self.directory} holds another stack",
                why="the fleet demo begins with empty servers, and would delete it",
                next_step="windlass demo fleet --dir with a directory of its own",
            )
        self.stack.reset()

    def _fill(self, endpoints: Endpoints) -> None:
        """Sources one after the other beside the targets: each side has a core."""
        with ThreadPoolExecutor(2) as pool:
            sources = pool.submit(data.seed_sources, endpoints.postgres, self.everybody, self._say)
            for cluster in _FULL:
                data.seed_target(self.target(cluster), self.of(cluster))
                self._say(f"target of {cluster}: what earlier appends left")
            sources.result()

    def _through(self, cluster: str) -> str:
        parts = urlsplit(self.source(cluster))
        login = parts.netloc.rpartition("@")[0]
        place = f"{login}@127.0.0.1:{self.relays[cluster].port}"
        return urlunsplit(parts._replace(netloc=place))
