"""One transaction at a time, on SQLite or PostgreSQL, with the errors that an operator reads."""

import random
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import (
    TimeoutError as NoConnectionFree,
)

from windlass.domain.errors import AccessError, ConfigError, UnreachableError, WindlassError

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="HasDatabase")

BUSY_SECONDS = 30
TRIES = 6
"""How often a transaction that the database itself rolled back is run again."""
AGAIN = (
    "database is locked",
    "database table is locked",
    "deadlock detected",
    "could not serialize",
)
DENIED = ("password authentication failed", "permission denied", "does not exist", "pg_hba.conf")
WRITE = "windlass_write"


class Database:
    """An engine that reads and writes in whole transactions; safe to share between threads."""

    def __init__(self, url: str) -> None:
        self.url = parsed(url)
        self.where = shown(self.url)
        self.engine = _engine(self.url)

    def read(self, work: Callable[[Connection], R]) -> R:
        """Run in one transaction that sees one state of the ledger."""
        return self._run(work, write=False)

    def write(self, work: Callable[[Connection], R]) -> R:
        """Run in one transaction; run again when the database rolled it back for another's sake."""
        return self._run(work, write=True)

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    def _run(self, work: Callable[[Connection], R], *, write: bool) -> R:
        for attempt in range(1, TRIES + 1):
            try:
                return self._once(work, write)
            except NoConnectionFree as error:
                raise UnreachableError(
                    "no connection to the ledger came free", where=self.where, next_step=DOCTOR
                ) from error
            except DBAPIError as error:
                if attempt == TRIES or not _worth_another(error):
                    raise self.translated(error) from error
            time.sleep(random.uniform(0.01, 0.05) * 2**attempt)
        raise AssertionError("unreachable")

    def _once(self, work: Callable[[Connection], R], write: bool) -> R:
        with self.engine.connect() as plain:
            level = "READ COMMITTED" if write else "REPEATABLE READ"
            options: dict[str, Any] = {WRITE: write}
            if self.url.get_backend_name() == "postgresql":
                options["isolation_level"] = level
            connection = plain.execution_options(**options)
            with connection.begin():
                return work(connection)

    def translated(self, error: DBAPIError) -> WindlassError:
        """The operator's error; the URL in it has no password."""
        why = " ".join(str(error.orig).split())
        if any(word in why for word in DENIED):
            return AccessError("the ledger refuses", where=self.where, why=why, next_step=DOCTOR)
        if isinstance(error, OperationalError | InterfaceError):
            return UnreachableError(
                "the ledger does not answer", where=self.where, why=why, next_step=DOCTOR
            )
        return WindlassError("the ledger failed", where=self.where, why=why, next_step=DOCTOR)


class HasDatabase:
    """What the decorators below need of a class."""

    _db: Database


def reads(
    method: Callable[Concatenate[S, Connection, P], R],
) -> Callable[Concatenate[S, P], R]:
    """Make a method of (connection, …) one read transaction."""

    @wraps(method)
    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._db.read(lambda connection: method(self, connection, *args, **kwargs))

    return call


def writes(
    method: Callable[Concatenate[S, Connection, P], R],
) -> Callable[Concatenate[S, P], R]:
    """Make a method of (connection, …) one write transaction."""

    @wraps(method)
    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._db.write(lambda connection: method(self, connection, *args, **kwargs))

    return call


DOCTOR = "windlass doctor says what it finds; docs/ledger.md lists what the ledger needs"


def parsed(url: str) -> URL:
    """SQLAlchemy's URL; ConfigError for anything but SQLite files and PostgreSQL."""
    try:
        found = make_url(url)
    except ArgumentError:
        raise ConfigError(
            "the ledger's URL cannot be read", next_step="see docs/ledger.md"
        ) from None
    if found.get_backend_name() in {"postgresql", "postgres"}:
        return found.set(drivername="postgresql+psycopg")
    if found.get_backend_name() == "sqlite":
        return found
    raise ConfigError(
        f"a ledger lives in SQLite or PostgreSQL, not {found.get_backend_name()}",
        next_step="ledger: sqlite:///windlass.db, or postgresql://…",
    )


def shown(url: URL) -> str:
    """The URL without its password."""
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "postgresql":
        return create_engine(url, pool_pre_ping=True, pool_size=4, max_overflow=12)
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url, connect_args={"timeout": BUSY_SECONDS}, pool_size=8, max_overflow=56, pool_timeout=60
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _: Any) -> None:  # noqa: ANN401 - a driver's connection
    """WAL lets readers read while one writes; the driver must not begin transactions itself."""
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def _begin(connection: Connection) -> None:
    """A writer takes its turn at once: one that upgrades later may have to be thrown away."""
    write = connection.get_execution_options().get(WRITE, True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _worth_another(error: DBAPIError) -> bool:
    return any(word in str(error.orig) for word in AGAIN)
