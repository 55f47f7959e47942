"""What runs: the client's query ids, and waking a client's thread when its statement is killed."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from windlass.localstack.front.engine import Engine
from windlass.localstack.front.errors import FrontError
from windlass.localstack.front.jobs import Job

_TICK = 0.02


@dataclass
class _Entry:
    job: Job
    query_id: str
    wake: Callable[[], None]


class Running:
    """All statements in flight. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._poked = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="kill-watch", daemon=True)
        self._thread.start()

    @contextmanager
    def listed(self, job: Job, query_id: str, wake: Callable[[], None]) -> Iterator[None]:
        """Keep a job in the list while it runs. A query id can run only once at a time (216).

        `wake` is called, more than once, when the job has been killed: it must end whatever its
        client's thread waits for, if that is the client.
        """
        with self._lock:
            if any(query_id and e.query_id == query_id for e in self._entries.values()):
                message = f"Query with id = {query_id} is already running."
                raise FrontError(216, "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING", message)
            self._entries[job.tag] = _Entry(job, query_id, wake)
        try:
            yield
        finally:
            with self._lock:
                del self._entries[job.tag]

    def engine_ids(self) -> dict[str, str]:
        """Client's query id -> job tag, for those statements that have one."""
        with self._lock:
            return {e.query_id: tag for tag, e in self._entries.items() if e.query_id}

    def poke(self) -> None:
        """A KILL is about to run: look for cancelled statements until there are none."""
        self._poked.set()

    def stop(self, seconds: float) -> None:
        """Cancel everything and wait until it has ended, or `seconds` have passed."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with self._lock:
                entries = list(self._entries.values())
            if not entries:
                break
            for entry in entries:
                self._engine.kill(entry.job.tag)
                entry.wake()
            time.sleep(_TICK)
        self._stopped.set()
        self._poked.set()
        self._thread.join(seconds)

    def _watch(self) -> None:
        while not self._stopped.is_set():
            self._poked.wait()
            quiet = 0
            while quiet < 10 and not self._stopped.is_set():
                quiet = 0 if self._look() else quiet + 1
                self._stopped.wait(_TICK)
            self._poked.clear()
            if self._look():
                self._poked.set()

    def _look(self) -> bool:
        """True while cancelled statements are still in the engine."""
        texts = self._engine.cancelled_texts()
        with self._lock:
            entries = list(self._entries.values())
        for entry in entries:
            if any(entry.job.tag in text for text in texts):
                entry.job.killed.set()
                entry.wake()
        return bool(texts)
