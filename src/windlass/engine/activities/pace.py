"""Reading no faster than the fleet file and the operators allow."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar

from windlass.domain.blocks import USUAL
from windlass.domain.errors import WindlassError

STEP = 0.25
"""Seconds between two looks at whether the work is still wanted."""
LOOK = 1.0
"""Seconds between two looks at what operators allow."""


class Pace:
    """A ceiling of rows per second (None: no ceiling) that all loads of one worker share, and
    that may change while they wait.

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
        self._booked = self._paid = 0.0
        self._at = now()

    @property
    def rate(self) -> int | None:
        """Rows per second, as it is now."""
        return self._rate

    def set(self, rows_per_second: int | None) -> None:
        """Another ceiling from now on, also for whoever waits."""
        with self._lock:
            self._pay()
            self._rate = rows_per_second

    def read(self, rows: int, tick: Callable[[], None]) -> None:
        """Wait until so many rows are within the ceiling. `tick` may raise to end the wait."""
        with self._lock:
            self._pay()
            self._booked += rows
            mark = self._booked
        while (left := self._left(mark)) > 0:
            self._pause(min(left, STEP))
            tick()

    def _left(self, mark: float) -> float:
        """Seconds until everything up to the mark is paid for, as the ceiling is now."""
        with self._lock:
            self._pay()
            owed = mark - self._paid
            return owed / self._rate if self._rate and owed > 1e-6 else 0.0

    def _pay(self) -> None:
        """Time pays for rows; what nothing was owed for is not saved up."""
        now = self._now()
        paid = self._paid + (now - self._at) * self._rate if self._rate else self._booked
        self._paid, self._at = min(self._booked, paid), now


class Ceilings:
    """What operators allow one load, by scope, and by how much smaller its blocks are than usual,
    asked for once a second. A ledger that does not answer leaves it as it was."""

    def __init__(
        self,
        look: Callable[[], Mapping[str, int]],
        now: Callable[[], float] = time.monotonic,
        blocks: Callable[[], int] = lambda: USUAL,
    ) -> None:
        self._look, self._blocks, self._now = look, blocks, now
        self._asked = -LOOK
        self._told: Mapping[str, int] = {}
        self._divisor = USUAL
        self.seen: dict[str, int | None] = {}

    def told(self) -> Mapping[str, int | None]:
        """`{scope: rows a second}`; None for a scope that had a ceiling and has none now."""
        self._ask()
        self.seen = {**dict.fromkeys(self.seen), **self._told}
        return self.seen

    def divisor(self) -> int:
        """By how much smaller its blocks are now."""
        self._ask()
        return self._divisor

    def _ask(self) -> None:
        if self._now() < self._asked + LOOK:
            return
        self._asked = self._now()
        with suppress(WindlassError):
            self._told, self._divisor = self._look(), self._blocks()


LOADING: ContextVar[Ceilings | None] = ContextVar("ceilings", default=None)
"""Those of the load that this thread works for; threads made for a statement inherit them."""


class Paces:
    """The worker's own ceiling, and those that operators set while it runs."""

    def __init__(self, own: Pace, make: Callable[[int | None], Pace] = Pace) -> None:
        self._own, self._make = own, make
        self._lock = threading.Lock()
        self._of: dict[str, Pace] = {}

    def read(self, rows: int, tick: Callable[[], None]) -> None:
        """Wait until so many rows are within all ceilings. `tick` may raise to end the wait."""
        self._own.read(rows, tick)
        ceilings = LOADING.get()
        if ceilings is None:
            return

        def look() -> None:
            tick()
            self._set(ceilings)

        for pace in self._set(ceilings):
            pace.read(rows, look)

    def per_second(self) -> int | None:
        """The lowest ceiling of the load that this thread works for; None: there is none."""
        ceilings = LOADING.get()
        told = ceilings.told().values() if ceilings else ()
        return min((rate for rate in (self._own.rate, *told) if rate), default=None)

    def _set(self, ceilings: Ceilings) -> list[Pace]:
        """The paces of the load's scopes, at the rates that hold now."""
        found = []
        with self._lock:
            for scope, rate in ceilings.told().items():
                pace = self._of.setdefault(scope, self._make(rate))
                pace.set(rate)
                found.append(pace)
        return found
