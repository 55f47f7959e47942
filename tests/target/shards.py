"""Two engines as the two shards of a cluster, and a bench whose table is a Distributed one.

The engine as a library has no native TCP, so nobody can SELECT through the Distributed table
here; it is a real one all the same, and says itself what stands behind it.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.target.bench import STAGING, Bench
from windlass.domain.schema import TargetTable
from windlass.localstack.clickhouse_http import PASSWORD_ENV
from windlass.localstack.clickhouse_server import ready
from windlass.localstack.state import free_ports
from windlass.target.clickhouse import ClickHouseTarget
from windlass.target.client import Address, Server
from windlass.target.names import quote
from windlass.target.sharded import ShardedTarget
from windlass.target.sharding import Router, split

USER, PASSWORD = "windlass", "secret"
HOSTS = ("shard-one.invalid", "shard-two.invalid")
CLUSTERS = """
<remote_servers>
 <pair>
  <shard><weight>1</weight><replica><host>shard-one.invalid</host><port>9000</port></replica></shard>
  <shard><weight>2</weight><replica><host>shard-two.invalid</host><port>9000</port></replica></shard>
 </pair>
 <copied>
  <shard><replica><host>shard-one.invalid</host><port>9000</port></replica>
  <replica><host>shard-two.invalid</host><port>9000</port></replica></shard>
 </copied>
</remote_servers>
<macros><cluster>pair</cluster></macros>
<zookeeper><implementation>testkeeper</implementation></zookeeper>
<user_directories><users_xml><path>{users}</path></users_xml></user_directories>
"""
USERS = """
<clickhouse><profiles><default/></profiles><quotas><default/></quotas><users><default>
 <password></password><networks><ip>::/0</ip></networks><profile>default</profile>
 <quota>default</quota><access_management>1</access_management>
 <databases><filtered><items><filter>k != 2</filter></items></filtered></databases>
</default></users></clickhouse>
"""


@dataclass
class ShardServer:
    """One engine process; it may be killed and started again."""

    data: Path
    port: int = field(default_factory=lambda: free_ports(1)[0])
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{USER}:{PASSWORD}@127.0.0.1:{self.port}"

    def start(self) -> None:
        users, extra = self.data / "users.xml", self.data / "extra.xml"
        users.write_text(USERS, encoding="utf-8")
        extra.write_text(CLUSTERS.format(users=users), encoding="utf-8")
        argv = [sys.executable, "-m", "windlass.localstack.clickhouse_http", "--user", USER]
        argv += ["--data", str(self.data), "--port", str(self.port), "--extra", str(extra)]
        self.process = subprocess.Popen(argv, env={**os.environ, PASSWORD_ENV: PASSWORD})
        deadline = time.monotonic() + 30
        while not ready("127.0.0.1", self.port, USER, PASSWORD):
            assert self.process.poll() is None, "the engine has died"
            assert time.monotonic() < deadline, "the engine does not answer"
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGTERM) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(30)


@contextlib.contextmanager
def two_servers(directory: Path) -> Iterator[tuple[ShardServer, ShardServer]]:
    """Both engines, up; the first one is also where the Distributed table lies."""
    pair = []
    for name in ("one", "two"):
        (directory / name).mkdir()
        pair.append(ShardServer(directory / name))
    try:
        for server in pair:
            server.start()
        yield pair[0], pair[1]
    finally:
        for server in pair:
            if server.process is not None and server.process.poll() is None:
                server.stop()


@dataclass
class ShardedBench(Bench):
    """The bench of one server, its table spread over two by `sharding`."""

    servers: Sequence[Server] = ()
    sharding: str = "cityHash64(k)"
    described: list[TargetTable] = field(default_factory=list)

    @property
    def live(self) -> TargetTable:
        """As described since the last statement that could have changed it."""
        if not self.described:
            self.described.append(super().live)
        return self.described[0]

    @property
    def local(self) -> str:
        """The local table's name on each shard."""
        return f"{self.table}_local"

    @property
    def ref(self) -> str:
        """The local table, quoted."""
        return f"{quote(self.database)}.{quote(self.local)}"

    def create_raw(self, shape: str, extra: str = "") -> TargetTable:
        columns = ", ".join(f"{quote(name)} {kind}" for name, kind in self.columns.items())
        front = f"{quote(self.database)}.{quote(self.table)}"
        self.server.run(f"DROP TABLE IF EXISTS {front} SYNC", "windlass/test")
        self.run(f"DROP TABLE IF EXISTS {self.ref} SYNC")
        self.run(f"CREATE TABLE {self.ref} ({columns}{extra}) {shape}")
        key = f", {self.sharding}" if self.sharding else ""
        engine = f"Distributed('{{cluster}}', {quote(self.database)}, {quote(self.local)}{key})"
        self.server.run(f"CREATE TABLE {front} AS {self.ref} ENGINE = {engine}", "windlass/test")
        self.described.clear()
        return self.live

    def run(self, sql: str) -> None:
        """A statement on every shard."""
        self.described.clear()
        for server in self.servers:
            server.run(sql, "windlass/test")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of all shards; single counts are added up."""
        found = [server.rows(sql) for server in self.servers]
        if all(len(one) == 1 and len(one[0]) == 1 and isinstance(one[0][0], int) for one in found):
            return [(sum(one[0][0] for one in found),)]
        return sorted(row for one in found for row in one)

    def send(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Rows go where the sharding key says, as an INSERT into the Distributed table does."""
        batch, live = self.batch(rows), self.live
        assert live.shards is not None
        if live.shards.steady:
            dealt = list(split(batch, Router(live, live.shards).places(batch)))
        else:
            dealt = [(at % 2, batch.slice(at, 1)) for at in range(batch.num_rows)]
        for place, part in dealt:
            self.put_on(place, part)

    def put_on(self, place: int, batch: Any) -> None:
        """Insert a batch on one shard."""
        from windlass.target.arrowstream import ArrowBody
        from windlass.target.watch import Moved

        body = ArrowBody([batch], Moved())
        names = body.begin()
        self.servers[place].send(self.ref, names, body.stream(), "windlass/test")

    def close(self) -> None:
        """Drop what was made, close the connections."""
        self.run(f"DROP DATABASE IF EXISTS `{self.database}` SYNC")
        self.target.close()
        for server in self.servers:
            server.close()


def sharded_target(pair: Sequence[ShardServer]) -> ShardedTarget:
    """The adapter over both, one given by its number and one by its host."""
    given = {"1": pair[0].url, HOSTS[1]: pair[1].url}
    return ShardedTarget(pair[0].url, given, lambda url: ClickHouseTarget(url, STAGING))


def sharded_bench(pair: Sequence[ShardServer], database: str, **changes: Any) -> ShardedBench:
    """A bench over both shards, in a database of its own."""
    servers = [Server(Address.parse(one.url)) for one in pair]
    target: Any = sharded_target(pair)
    bench = ShardedBench(target, servers[0], database, servers=servers, **changes)
    bench.run(f"CREATE DATABASE `{database}`")
    return bench
