"""Sessions on the source: read-only, in UTC, named after the attempt, without time limits of the
role that would end a long read. psycopg for questions; ADBC (stream.py) for rows."""

import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from windlass.domain.errors import ConfigError, WindlassError
from windlass.source.errors import Failure, snapshot_lost, translate
from windlass.source.quote import literal
from windlass.verify.pairs import SESSION

Connection = psycopg.Connection[tuple[Any, ...]]

CONTROL = "windlass"
"""application_name of sessions that belong to no attempt."""

HASH_MEMORY = "64MB"
"""work_mem of a session that has less: what one hash or sort may hold before it spills."""
PAGE_COST = 1.1
"""random_page_cost of a session that has more: a small tenant's rows are found by their index, not
by reading everybody's."""

BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

_PASSWORD_IN_URL = re.compile(r"(?<=//)([^:/?#@]*):.*@")
# A dead peer is noticed within a minute, unless the operator's URL says otherwise.
_NETWORK = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "client_encoding": "UTF8",
}


@dataclass(frozen=True)
class Limits:
    """Milliseconds after which PostgreSQL gives up on a statement or a lock; 0 never."""

    statement_timeout: int = 0
    lock_timeout: int = 60_000


@dataclass(frozen=True)
class Server:
    """Where the source is and how to talk to it. The password never leaves `url`."""

    url: str = field(repr=False)
    limits: Limits = field(default_factory=Limits)

    @property
    def parameters(self) -> Mapping[str, str]:
        """The URL taken apart. ConfigError when it is none."""
        try:
            found = conninfo_to_dict(self.url)
        except psycopg.ProgrammingError as error:
            why = self.without_secrets(str(error))
            fix = "write postgresql://user:password@host:5432/database"
            raise ConfigError("source.url cannot be read", why=why, next_step=fix) from None
        return {name: str(value) for name, value in found.items() if value is not None}

    @property
    def place(self) -> str:
        """`postgresql://host:port/database`: what errors show."""
        have = self.parameters
        host = have.get("host", "localhost")
        port = f":{have['port']}" if "port" in have else ""
        return f"postgresql://{host}{port}/{have.get('dbname', '')}"

    def conninfo(self, name: str) -> str:
        """libpq's connection string for a session of that application_name."""
        merged = {**_NETWORK, **self.parameters, "application_name": name}
        return make_conninfo("", **merged)

    def settings(self, name: str) -> str:
        """One SELECT that sets the session up; it returns the backend's pid."""
        wanted = {
            **{key: value for key, value in SESSION.items() if key != "client_encoding"},
            "application_name": name,
            "statement_timeout": str(self.limits.statement_timeout),
            "lock_timeout": str(self.limits.lock_timeout),
            "idle_in_transaction_session_timeout": "0",
            "default_transaction_read_only": "on",
            # A policy that hides rows must be an error: hidden rows look like deleted ones.
            "row_security": "off",
            # Compiling costs more than it gives for counts of one window.
            "jit": "off",
        }
        plain = (f"set_config({literal(k)}, {literal(v)}, false)" for k, v in wanted.items())
        return f"SELECT pg_backend_pid(), {', '.join(plain)}, {_SWIFT}, {_BY_VERSION}"

    def without_secrets(self, text: str) -> str:
        """The text without the password, as written or decoded."""
        for secret in self._secrets():
            text = text.replace(secret, "***")
        return _PASSWORD_IN_URL.sub(r"\1:***@", text)

    def _secrets(self) -> list[str]:
        raw = re.search(r"//[^:/?#@]*:(.*)@", self.url)
        found = [raw[1], unquote(raw[1])] if raw else []
        found += re.findall(r"password\s*=\s*'?([^\s'&]+)", self.url)
        return sorted((secret for secret in found if secret), key=len, reverse=True)

    def error(self, failure: Failure, doing: str) -> WindlassError:
        """The error to raise for a driver's failure."""
        return translate(self.cleaned(failure), self.place, doing)

    def cleaned(self, failure: Failure) -> Failure:
        """The failure without secrets in its text."""
        text = self.without_secrets(failure.text)
        return Failure(failure.sqlstate, text, failure.hint, failure.connecting)


# A hash of a tenant's parents that spills to disk doubles the time of a window's reading.
_SWIFT = f"""\
CASE WHEN pg_size_bytes(current_setting('work_mem')) < pg_size_bytes('{HASH_MEMORY}')
     THEN set_config('work_mem', '{HASH_MEMORY}', false) END,
CASE WHEN current_setting('random_page_cost')::float > {PAGE_COST}
     THEN set_config('random_page_cost', '{PAGE_COST}', false) END"""
# Settings that not every version or platform has. The check of the connection ends the query of a
# worker that was killed, where otherwise it would run on to its end.
_BY_VERSION = """\
CASE WHEN current_setting('server_version_num')::int >= 170000
     THEN set_config('transaction_timeout', '0', false) END,
CASE WHEN version() ~ 'linux'
     THEN set_config('client_connection_check_interval', '5s', false) END"""


def failure_of(error: psycopg.Error, *, connecting: bool = False) -> Failure:
    """What psycopg knows about an error."""
    text = error.diag.message_primary or str(error)
    # The server ends a broken session without SQLSTATE: only the class tells.
    broken = isinstance(error, psycopg.OperationalError) and not error.sqlstate
    state = error.sqlstate or ("" if connecting or not broken else "08006")
    return Failure(state, text, error.diag.message_hint or "", connecting)


@contextmanager
def translated(server: Server, doing: str) -> Iterator[None]:
    """Turn psycopg's errors into ours; `doing` completes the sentence `failed: …`."""
    try:
        yield
    except psycopg.Error as error:
        raise server.error(failure_of(error), doing) from None


@contextmanager
def control(server: Server, doing: str, name: str = CONTROL) -> Iterator[Connection]:
    """A session of its own, each statement its own transaction."""
    conninfo = server.conninfo(name)
    try:
        connection = psycopg.connect(conninfo, autocommit=True)
    except psycopg.Error as error:
        raise server.error(failure_of(error, connecting=True), "connecting") from None
    # Closing is enough: nothing is ever written, so there is nothing to commit.
    with translated(server, doing), closing(connection):
        run(connection, server.settings(name))
        yield connection


@contextmanager
def consistent(
    server: Server, doing: str, name: str = CONTROL, snapshot: str | None = None
) -> Iterator[Connection]:
    """A session in one REPEATABLE READ transaction: in that snapshot, or from now."""
    with control(server, doing, name) as connection:
        run(connection, BEGIN)
        if snapshot is not None:
            import_snapshot(server, connection, snapshot)
        yield connection


def import_snapshot(server: Server, connection: Connection, snapshot: str) -> None:
    """Read what the snapshot's holder reads. SnapshotLostError when it is gone."""
    try:
        run(connection, set_snapshot(snapshot))
    except psycopg.Error as error:
        failure = server.cleaned(failure_of(error))
        raise snapshot_lost(failure, server.place, snapshot) from None


def set_snapshot(snapshot: str) -> str:
    """The statement that imports a snapshot."""
    return f"SET TRANSACTION SNAPSHOT {literal(snapshot)}"


def run(connection: Connection, statement: str) -> "psycopg.Cursor[tuple[Any, ...]]":
    """Send a statement as it is: no parameters, so percent signs mean themselves."""
    return connection.execute(sql.SQL(statement))


def rows(connection: Connection, statement: str) -> list[tuple[Any, ...]]:
    """All rows of a statement that is sent as it is."""
    return run(connection, statement).fetchall()
