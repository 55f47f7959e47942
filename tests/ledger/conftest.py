"""The conformance suite's ledgers: the same tests on SQLite and on a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.ledger.world import HandClock
from windlass.ledger import open_ledger
from windlass.ledger.store import SqlLedger


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.stack)])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database that holds nothing yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/windlass.db"
        return
    url: str = request.getfixturevalue("postgres_url")
    name = f"ledger_{uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"create database {name}")
    yield f"{url.rpartition('/')[0]}/{name}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"drop database {name} with (force)")


@pytest.fixture
def ledger(ledger_url: str, clock: HandClock) -> Iterator[SqlLedger]:
    opened = open_ledger(ledger_url, clock)
    yield opened
    opened.close()
