"""HTTP sessions: an engine connection that outlives a request, with what the client SET in it."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from windlass.localstack.front.engine import Connection, Engine
from windlass.localstack.front.errors import FrontError

DEFAULT_TIMEOUT = 60
MAX_TIMEOUT = 3600
# The next request of a session may overtake the end of the one before it by a moment.
_BUSY_WAIT = 0.2


@dataclass
class Session:
    """One session. `statements` are its SET statements, `database` its current database."""

    connection: Connection
    timeout: float
    lock: threading.Lock = field(default_factory=threading.Lock)
    last_used: float = field(default_factory=time.monotonic)
    database: str = "default"
    statements: list[bytes] = field(default_factory=list)
    applied: list[str] = field(default_factory=list)


class Sessions:
    """All sessions. Thread-safe; expired ones go when another is asked for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}

    @contextmanager
    def lease(
        self, params: Mapping[str, str], settings: Mapping[str, str]
    ) -> Iterator[tuple[Connection, Session | None]]:
        """A connection for one request, with `settings` and the request's database in force.

        With a `session_id` it is the session's own, which no other request may hold (373).
        """
        if not (name := params.get("session_id", "")):
            connection = self._engine.connect()
            try:
                self._prepare(connection, params.get("database", ""), settings)
                yield connection, None
            finally:
                connection.close()
            return
        session = self._find(name, params)
        if not session.lock.acquire(timeout=_BUSY_WAIT):
            message = f"Session {name} is locked by a concurrent client."
            raise FrontError(373, "SESSION_IS_LOCKED", message)
        try:
            self._restore(session)
            session.applied = list(settings)
            self._prepare(session.connection, params.get("database") or session.database, settings)
            yield session.connection, session
        finally:
            session.last_used = time.monotonic()
            session.lock.release()

    def _prepare(self, connection: Connection, database: str, settings: Mapping[str, str]) -> None:
        connection.apply(settings)
        if database:
            connection.use(database)

    def _restore(self, session: Session) -> None:
        """Undo what the last request's URL had set; a readonly session needs a new connection."""
        if not session.applied:
            return
        try:
            session.connection.reset(session.applied)
            session.connection.apply(self._engine.profile)
        except FrontError:
            session.connection.close()
            session.connection = self._engine.connect()
        for statement in session.statements:
            session.connection.query(statement)
        session.applied = []

    def _find(self, name: str, params: Mapping[str, str]) -> Session:
        timeout = _timeout(params)
        with self._lock:
            self._expire()
            session = self._sessions.get(name)
            if session is None:
                if params.get("session_check") == "1":
                    message = f"Session {name} not found"
                    raise FrontError(372, "SESSION_NOT_FOUND", message)
                session = self._sessions[name] = Session(self._engine.connect(), timeout)
            session.timeout, session.last_used = timeout, time.monotonic()
            return session

    def _expire(self) -> None:
        now = time.monotonic()
        for name, session in list(self._sessions.items()):
            if now - session.last_used > session.timeout and session.lock.acquire(blocking=False):
                del self._sessions[name]
                session.connection.close()

    def close(self) -> None:
        with self._lock:
            for session in self._sessions.values():
                session.connection.close()
            self._sessions.clear()


def _timeout(params: Mapping[str, str]) -> float:
    text = params.get("session_timeout", str(DEFAULT_TIMEOUT))
    if not text.isdigit() or int(text) > MAX_TIMEOUT:
        message = f"Invalid session timeout: '{text}'"
        raise FrontError(374, "INVALID_SESSION_TIMEOUT", message)
    return float(text)
