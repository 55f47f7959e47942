"""Benches over the session's real engine, or over any ClickHouse that
WINDLASS_TEST_CLICKHOUSE names (http://user:password@host:8123), or over two shards."""

import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.target.bench import Bench, make_bench
from tests.target.shards import ShardedBench, ShardServer, sharded_bench, two_servers

BOTH_WAYS = pytest.mark.parametrize("bench", ["one server", "two shards"], indirect=True)


@pytest.fixture(scope="session")
def server_url(request: pytest.FixtureRequest) -> str:
    """The server under test."""
    given = os.environ.get("WINDLASS_TEST_CLICKHOUSE")
    return given or str(request.getfixturevalue("clickhouse_url"))


@pytest.fixture(scope="session")
def shard_pair() -> Iterator[tuple[ShardServer, ShardServer]]:
    """Two engines, the shards of the cluster `pair`."""
    with (
        tempfile.TemporaryDirectory(prefix="windlass-shards-") as directory,
        two_servers(Path(directory)) as pair,
    ):
        yield pair


@pytest.fixture
def shards(shard_pair: tuple[ShardServer, ShardServer]) -> Iterator[ShardedBench]:
    """A bench over both shards in a database of its own, dropped afterwards."""
    made = sharded_bench(shard_pair, f"acme_{uuid.uuid4().hex[:10]}")
    yield made
    made.close()


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A bench in a database of its own, dropped afterwards. Modules marked with BOTH_WAYS get
    one over a single server, then one over two shards."""
    if getattr(request, "param", "one server") == "two shards":
        yield request.getfixturevalue("shards")
        return
    made = make_bench(request.getfixturevalue("server_url"))
    yield made
    made.run(f"DROP DATABASE IF EXISTS `{made.database}` SYNC")
    made.target.close()
    made.server.close()
