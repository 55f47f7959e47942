"""How long the target takes for our own blocks."""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

T = TypeVar("T")

LATELY = 10.0
"""Seconds that a block's time is remembered."""


class Meter:
    """Seconds of the blocks sent lately, over all inserts of this process; thread-safe."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._lock = now, threading.Lock()
        self._taken: deque[tuple[float, float]] = deque(maxlen=10_000)
        self._out: dict[object, float] = {}

    def passing(self, blocks: Iterable[T]) -> Generator[T, None, None]:
        """The blocks, each timed until the next one is asked for."""
        me = object()
        for block in blocks:
            with self._lock:
                self._out[me] = self._now()
            try:
                yield block
            finally:
                with self._lock:
                    now = self._now()
                    self._taken.append((now, now - self._out.pop(me)))

    def slowest(self) -> float | None:
        """Seconds of the slowest block lately, one that is still on its way included; None where
        nothing was sent."""
        with self._lock:
            now = self._now()
            done = [seconds for at, seconds in self._taken if at >= now - LATELY]
            waiting = [now - began for began in self._out.values()]
        return max([*done, *waiting], default=None)
