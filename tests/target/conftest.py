"""Benches over the session's real engine, or over any ClickHouse that
WINDLASS_TEST_CLICKHOUSE names (http://user:password@host:8123)."""

import os
from collections.abc import Iterator

import pytest

from tests.target.bench import Bench, make_bench


@pytest.fixture(scope="session")
def server_url(request: pytest.FixtureRequest) -> str:
    """The server under test."""
    given = os.environ.get("WINDLASS_TEST_CLICKHOUSE")
    return given or str(request.getfixturevalue("clickhouse_url"))


@pytest.fixture
def bench(server_url: str) -> Iterator[Bench]:
    """A bench in a database of its own, dropped afterwards."""
    made = make_bench(server_url)
    yield made
    made.run(f"DROP DATABASE IF EXISTS `{made.database}` SYNC")
    made.target.close()
    made.server.close()
