"""Engine connections for requests: pooled while clean, or kept for an HTTP session."""

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from windlass.localstack.front.engine import Connection, Engine
from windlass.localstack.front.errors import FrontError

DEFAULT_TIMEOUT = 60
MAX_TIMEOUT = 3600
_DATABASE = "default"
# The next request of a session may overtake the end of the one before it by a moment.
_BUSY_WAIT = 0.2
_POOL = 16


@dataclass
class Held:
    """A connection with what is set on it: `applied` by the URL of its last request, `statements`
    by SET in its session. `spent`: a statement may have changed more than that."""

    connection: Connection
    database: str = _DATABASE
    applied: dict[str, str] = field(default_factory=dict)
    statements: list[bytes] = field(default_factory=list)
    spent: bool = False

    def set_by_statement(self, statement: bytes) -> None:
        """Note a SET that has run: it outlives the request, in a session."""
        self.statements.append(statement)
        self.spent = True


@dataclass
class Session:
    """One session. `database` is what USE last chose in it."""

    held: Held
    timeout: float
    lock: threading.Lock = field(default_factory=threading.Lock)
    last_used: float = field(default_factory=time.monotonic)
    database: str = _DATABASE


class Sessions:
    """All sessions and the pool. Thread-safe; expired sessions go when another is asked for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}
        self._pool: deque[Held] = deque()

    @contextmanager
    def lease(
        self, params: Mapping[str, str], settings: Mapping[str, str]
    ) -> Iterator[tuple[Held, Session | None]]:
        """A connection for one request, with `settings` and the request's database in force.

        With a `session_id` it is the session's own, which no other request may hold (373).
        """
        name = params.get("session_id", "")
        if name:
            with self._session(name, params) as session:
                database = params.get("database") or session.database
                self._prepare(session.held, database, settings)
                yield session.held, session
        else:
            with self._pooled() as held:
                self._prepare(held, params.get("database") or _DATABASE, settings)
                yield held, None

    @contextmanager
    def _pooled(self) -> Iterator[Held]:
        """A clean connection, which goes back if nothing but URL settings changed it."""
        try:
            held = self._pool.pop()
        except IndexError:
            held = Held(self._engine.connect())
        reusable = False
        try:
            yield held
            reusable = not held.spent and not held.applied
        finally:
            if reusable and len(self._pool) < _POOL:
                self._pool.append(held)
            else:
                held.connection.close()

    @contextmanager
    def _session(self, name: str, params: Mapping[str, str]) -> Iterator[Session]:
        session = self._find(name, params)
        if not session.lock.acquire(timeout=_BUSY_WAIT):
            message = f"Session {name} is locked by a concurrent client."
            raise FrontError(373, "SESSION_IS_LOCKED", message)
        try:
            yield session
        finally:
            session.last_used = time.monotonic()
            session.lock.release()

    def _prepare(self, held: Held, database: str, settings: Mapping[str, str]) -> None:
        if held.spent or held.applied != settings:
            self._restore(held)
            # Noted first: an unknown setting may come behind others that were set.
            held.applied = dict(settings)
            held.connection.apply(settings)
        if held.database != database:
            held.connection.use(database)
            held.database = database

    def _restore(self, held: Held) -> None:
        """Undo what the last URL had set; one that was made readonly is given up."""
        if held.applied:
            try:
                held.connection.reset(list(held.applied))
                held.connection.apply(self._engine.profile)
            except FrontError:
                held.connection.close()
                held.connection, held.database = self._engine.connect(), _DATABASE
            for statement in held.statements:
                held.connection.query(statement)
        held.applied, held.spent = {}, False

    def _find(self, name: str, params: Mapping[str, str]) -> Session:
        timeout = _timeout(params)
        with self._lock:
            self._expire()
            session = self._sessions.get(name)
            if session is None:
                if params.get("session_check") == "1":
                    message = f"Session {name} not found"
                    raise FrontError(372, "SESSION_NOT_FOUND", message)
                session = self._sessions[name] = Session(Held(self._engine.connect()), timeout)
            session.timeout, session.last_used = timeout, time.monotonic()
            return session

    def _expire(self) -> None:
        now = time.monotonic()
        for name, session in list(self._sessions.items()):
            if now - session.last_used > session.timeout and session.lock.acquire(blocking=False):
                del self._sessions[name]
                session.held.connection.close()

    def close(self) -> None:
        with self._lock:
            for session in self._sessions.values():
                session.held.connection.close()
            self._sessions.clear()
        while self._pool:
            self._pool.pop().connection.close()


def _timeout(params: Mapping[str, str]) -> float:
    text = params.get("session_timeout", str(DEFAULT_TIMEOUT))
    if not text.isdigit() or int(text) > MAX_TIMEOUT:
        message = f"Invalid session timeout: '{text}'"
        raise FrontError(374, "INVALID_SESSION_TIMEOUT", message)
    return float(text)
