"""What a worker does beside its work: drop what was kept longer than its retention."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from windlass.domain.errors import WindlassError
from windlass.engine.activities.desk import Desk
from windlass.engine.activities.tidy import Tidy

EVERY = 3600.0
"""Seconds between two looks."""

log = logging.getLogger("windlass")


@asynccontextmanager
async def house_kept(desk: Desk, every: float = EVERY) -> AsyncIterator[None]:
    """Look at once, and again every `every` seconds, for as long as the block runs. A server that
    does not answer is asked again at the next look."""
    keeping = asyncio.create_task(_keep_house(desk, every))
    try:
        yield
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping


async def _keep_house(desk: Desk, every: float) -> None:
    while True:
        await asyncio.to_thread(_look, desk)
        await asyncio.sleep(every)


def _look(desk: Desk) -> None:
    try:
        dropped = Tidy(desk).expire()
    except WindlassError as error:
        log.warning("%s: what is kept for undo was not looked at: %s", desk.cluster, error)
        return
    if dropped:
        log.info("%s: dropped %d kept tables", desk.cluster, dropped)
