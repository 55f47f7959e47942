"""Reading no faster than the operator allows."""

import threading
import time
from collections.abc import Callable

STEP = 0.25
"""Seconds between two looks at whether the work is still wanted."""


class Pace:
    """A ceiling of rows per second (None: no ceiling) that all loads of one worker share.

    Rows are paid for after they were read: a batch makes the next one wait.
    """

    def __init__(
        self,
        rows_per_second: int | None,
        now: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate, self._now, self._pause = rows_per_second, now, pause
        self._lock = threading.Lock()
        self._free_at = 0.0

    def read(self, rows: int, tick: Callable[[], None]) -> None:
        """Wait until so many rows are within the ceiling. `tick` may raise to end the wait."""
        if self._rate is None:
            return
        until = self._booked(rows / self._rate)
        while (left := until - self._now()) > 0:
            self._pause(min(left, STEP))
            tick()

    def _booked(self, seconds: float) -> float:
        with self._lock:
            self._free_at = max(self._now(), self._free_at) + seconds
            return self._free_at
