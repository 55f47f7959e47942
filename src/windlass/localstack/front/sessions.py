"""Engine connections for requests: pooled by what is set on them, or kept for an HTTP session."""

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
_POOL = 32
# Differs from statement to statement and changes nothing: never a reason for another connection.
_LABEL = "log_comment"


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
        self._pool_lock = threading.Lock()

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
            with self._pooled(settings) as held:
                self._prepare(held, params.get("database") or _DATABASE, settings)
                yield held, None

    @contextmanager
    def _pooled(self, settings: Mapping[str, str]) -> Iterator[Held]:
        """A new connection, or one on which just these settings are set; it goes back to the pool
        if nothing but URL settings changed it."""
        held = self._take(settings) or Held(self._engine.connect())
        done = False
        try:
            yield held
            done = True
        finally:
            self._put_back(held, usable=done and not held.spent)

    def _take(self, settings: Mapping[str, str]) -> Held | None:
        """The one that was used last of those that fit."""
        wanted = _unlabelled(settings)
        with self._pool_lock:
            for held in reversed(self._pool):
                if _unlabelled(held.applied) == wanted:
                    self._pool.remove(held)
                    return held
        return None

    def _put_back(self, held: Held, *, usable: bool) -> None:
        """The pool's oldest one makes room."""
        gone = held
        if usable:
            with self._pool_lock:
                self._pool.append(held)
                if len(self._pool) <= _POOL:
                    return
                gone = self._pool.popleft()
        gone.connection.close()

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
        fits = not held.spent and _unlabelled(held.applied) == _unlabelled(settings)
        if fits and (_LABEL in settings) == (_LABEL in held.applied):
            changed = {k: v for k, v in settings.items() if held.applied.get(k) != v}
        else:
            self._restore(held)
            changed = dict(settings)
        # Noted first: an unknown setting may come behind others that were set.
        held.applied = dict(settings)
        held.connection.apply(changed)
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


def _unlabelled(settings: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in settings.items() if name != _LABEL}


def _timeout(params: Mapping[str, str]) -> float:
    text = params.get("session_timeout", str(DEFAULT_TIMEOUT))
    if not text.isdigit() or int(text) > MAX_TIMEOUT:
        message = f"Invalid session timeout: '{text}'"
        raise FrontError(374, "INVALID_SESSION_TIMEOUT", message)
    return float(text)
