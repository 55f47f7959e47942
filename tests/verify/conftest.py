"""The servers of the proofs, one of each for the session."""

from collections.abc import Iterator

import pytest

from windlass.target.client import Address, Server

from .servers import Servers


@pytest.fixture(scope="session")
def servers(postgres_url: str, clickhouse_url: str) -> Iterator[Servers]:
    """The session's PostgreSQL over ADBC, and its ClickHouse over HTTP."""
    import adbc_driver_postgresql.dbapi as adbc
    import psycopg

    with adbc.connect(postgres_url) as connection, psycopg.connect(postgres_url) as writing:
        servers = Servers(connection, writing, Server(Address.parse(clickhouse_url)))
        servers.setup()
        yield servers
        servers.teardown()
