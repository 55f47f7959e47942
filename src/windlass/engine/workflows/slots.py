"""So many at once, where the number may change while some are taken."""

import asyncio
from bisect import insort
from operator import itemgetter
from types import TracebackType
from typing import Self


class Slots:
    """A semaphore with a limit that an operator may change: the lowest rank first, and of one rank
    first come, first served. Lowering it takes nothing from whoever has a slot; they are not given
    on until there is room."""

    def __init__(self, limit: int) -> None:
        self.limit, self.taken = limit, 0
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def set(self, limit: int) -> None:
        """So many from now on."""
        self.limit = limit
        self._admit()

    async def acquire(self, rank: int = 0) -> None:
        """Wait for a slot."""
        if self.taken < self.limit and not self._waiting:
            self.taken += 1
            return
        place = asyncio.get_running_loop().create_future()
        insort(self._waiting, (rank, place), key=itemgetter(0))
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.release()
            raise

    def release(self) -> None:
        """Give it back."""
        self.taken -= 1
        self._admit()

    def retake(self) -> None:
        """Take one at once, also where none is free: others wait the longer."""
        self.taken += 1

    async def __aenter__(self) -> Self:
        await self.acquire()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def _admit(self) -> None:
        while self._waiting and self.taken < self.limit:
            _, place = self._waiting.pop(0)
            if not place.done():
                self.taken += 1
                place.set_result(None)


class Bell:
    """Wakes up whoever waits for one of several things to happen."""

    def __init__(self) -> None:
        self._rung: asyncio.Future[None] | None = None

    def ring(self) -> None:
        """Something happened."""
        if self._rung is not None and not self._rung.done():
            self._rung.set_result(None)

    def awaited(self) -> asyncio.Future[None]:
        """Done with the next ring."""
        if self._rung is None or self._rung.done():
            self._rung = asyncio.get_running_loop().create_future()
        return self._rung
