"""The demo's data on real servers, made once for all tests of this folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from windlass.localstack.demo import data, story, target

SCALE = 0.01


@dataclass(frozen=True)
class Servers:
    """Where this folder's demo lives."""

    postgres: str
    clickhouse: str


@pytest.fixture(scope="session")
def seeded(postgres_url: str, clickhouse_url: str) -> Iterator[Servers]:
    """Source and target as the demo finds them, at a hundredth of the real size. Only look."""
    with _own_database(postgres_url, "windlass_demo_tests") as own:
        servers = Servers(own, clickhouse_url)
        data.seed_source(own, SCALE)
        reseed_target(servers)
        yield servers
        drop_databases(clickhouse_url)


@pytest.fixture
def fresh_target(seeded: Servers) -> Iterator[Servers]:
    """As `seeded`, for a test that changes ClickHouse: made anew afterwards."""
    yield seeded
    reseed_target(seeded)


@pytest.fixture
def fresh_source(postgres_url: str, clickhouse_url: str) -> Iterator[Servers]:
    """An empty PostgreSQL database for a test that seeds by itself."""
    with _own_database(postgres_url, "windlass_demo_fresh") as own:
        yield Servers(own, clickhouse_url)


def reseed_target(servers: Servers) -> None:
    """The demo's databases anew, whatever a test has put under their names."""
    drop_databases(servers.clickhouse)
    data.seed_target(servers.clickhouse, servers.postgres, SCALE)


def drop_databases(clickhouse_url: str) -> None:
    """No database of the demo's names is left."""
    with target.connect(clickhouse_url) as client:
        for database in story.databases():
            client.command(f"drop database if exists `{database}` sync")


@contextmanager
def _own_database(postgres_url: str, name: str) -> Iterator[str]:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"drop database if exists {name} with (force)".encode())
        connection.execute(f"create database {name}".encode())
        yield urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))
        connection.execute(f"drop database {name} with (force)".encode())
