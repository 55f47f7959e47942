"""Where the time goes: seconds per stage, added up over all threads that work for one table.

Stages overlap (one batch is read while another is sent), so their sum may exceed the clock's.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass
class Stopwatch:
    """Seconds by stage; safe to add to from any thread."""

    _seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, stage: str, seconds: float) -> None:
        """Some more time went there."""
        with self._lock:
            self._seconds[stage] += seconds

    @property
    def seconds(self) -> Mapping[str, float]:
        """So far, in milliseconds' precision."""
        with self._lock:
            return {stage: round(taken, 3) for stage, taken in self._seconds.items()}


_RUNNING: ContextVar[Stopwatch | None] = ContextVar("stopwatch", default=None)


@contextmanager
def timed() -> Iterator[Stopwatch]:
    """What happens inside, in threads that were given this context too, is timed by stages."""
    watch = Stopwatch()
    token = _RUNNING.set(watch)
    try:
        yield watch
    finally:
        _RUNNING.reset(token)


def add(name: str, seconds: float) -> None:
    """That much time went to that stage of whatever is timed here."""
    watch = _RUNNING.get()
    if watch is not None:
        watch.add(name, seconds)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """The time inside goes to that stage of whatever is timed here."""
    began = time.perf_counter()
    try:
        yield
    finally:
        add(name, time.perf_counter() - began)
