"""A database of its own for each test, on the session's real PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from windlass.domain.attempt import Attempt
from windlass.domain.dataset import Dataset, Slice
from windlass.domain.window import Interval
from windlass.source.postgres import PostgresSource

from .world import TENANT, Db, dataset


@pytest.fixture
def db(postgres_url: str, request: pytest.FixtureRequest) -> Iterator[Db]:
    """An empty database."""
    name = f"source_{abs(hash(request.node.nodeid)):x}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield Db(make_conninfo(postgres_url, dbname=name))
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
        admin.execute(drop)
        admin.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(f"reader_{name}")))


@pytest.fixture
def world(db: Db) -> Db:
    """The database with scorecards and scores of several tenants (see source_world)."""
    db.fill()
    return db


@pytest.fixture
def source(db: Db) -> PostgresSource:
    """The adapter, as superuser."""
    return PostgresSource(db.url)


@pytest.fixture
def attempt(request: pytest.FixtureRequest) -> Attempt:
    """This test's attempt."""
    return Attempt("campaign", f"campaign/{request.node.nodeid}", 1)


@pytest.fixture
def january() -> Interval:
    """January 2026."""
    return Interval(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))


@pytest.fixture
def data() -> Dataset:
    """The usual dataset."""
    return dataset()


@pytest.fixture
def cards(data: Dataset, january: Interval) -> Slice:
    """January's scorecards of acme/voice."""
    return Slice(data, data.table("scorecard"), TENANT, january)


@pytest.fixture
def scores(data: Dataset, january: Interval) -> Slice:
    """January's scores of acme/voice."""
    return Slice(data, data.table("score"), TENANT, january)
