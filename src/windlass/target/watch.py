"""Running one statement while its caller stays able to beat, and to stop it."""

import contextvars
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from windlass.domain.errors import WindlassError
from windlass.ports import Pulse
from windlass.target.client import Server
from windlass.target.kill import kill, running

BEAT = 1.0
"""Seconds between two looks at whether the server still lists a silent statement."""
_GRACE = 5.0


@dataclass
class Moved:
    """Rows that a statement has moved so far; counted by one thread, taken by another."""

    _rows: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, rows: int) -> None:
        """Rows went out."""
        with self._lock:
            self._rows += rows

    def take(self) -> int:
        """Rows since the last call."""
        with self._lock:
            rows, self._rows = self._rows, 0
        return rows


@dataclass
class _Outcome:
    done: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None


def watched(
    server: Server,
    tag: str,
    work: Callable[[], None],
    pulse: Pulse,
    moved: Moved | None = None,
    stop: Callable[[], None] = lambda: None,
) -> None:
    """Run `work` (one statement with that tag) aside, and pulse while rows move or the server
    lists it. When pulse raises, `stop` is called, the statement is killed and proven dead, and
    what pulse raised goes on. When work raises, nothing of it is left running either."""
    outcome = _start(work)
    counted = moved or Moved()
    try:
        _beat(server, tag, outcome, pulse, counted)
    except BaseException:
        stop()
        kill(server, tag)
        outcome.done.wait(_GRACE)
        raise
    if outcome.error is not None:
        _silence(server, tag)
        raise outcome.error
    pulse(counted.take())


def _start(work: Callable[[], None]) -> _Outcome:
    outcome = _Outcome()
    context = contextvars.copy_context()

    def run() -> None:
        try:
            context.run(work)
        except BaseException as error:
            outcome.error = error
        finally:
            outcome.done.set()

    threading.Thread(target=run, name="windlass-statement", daemon=True).start()
    return outcome


def _beat(server: Server, tag: str, outcome: _Outcome, pulse: Pulse, moved: Moved) -> None:
    next_look = time.monotonic() + BEAT
    while not outcome.done.wait(min(0.1, BEAT)):
        rows = moved.take()
        if rows:
            pulse(rows)
        elif time.monotonic() >= next_look:
            next_look = time.monotonic() + BEAT
            if _listed(server, tag):
                pulse(0)


def _listed(server: Server, tag: str) -> bool:
    """Whether the server lists the statement; one that does not answer says nothing."""
    try:
        return running(server, tag) > 0
    except WindlassError:
        return False


def _silence(server: Server, tag: str) -> None:
    """After a failure on our side the server may still be at it; when it does not answer, the
    failure that is being raised already says so."""
    try:
        kill(server, tag)
    except WindlassError:
        return
