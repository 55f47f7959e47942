"""What a worker does beside its work: drop what was kept longer than its retention."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from windlass.domain.errors import WindlassError
from windlass.engine.activities.desk import Desk
from windlass.engine.activities.tidy import Tidy

EVERY = 3600.0
"""Seconds between two looks."""
_GRACE = 2.0
"""Seconds that a look at work may take at the end; its statements are safe to leave."""

log = logging.getLogger("windlass")


@contextmanager
def house_kept(desk: Desk, every: float = EVERY) -> Iterator[None]:
    """Look at once, and again every `every` seconds, for as long as the block runs. A server that
    does not answer is asked again at the next look; one that hangs holds up no worker's end."""
    stop = threading.Event()
    thread = threading.Thread(
        target=_keep_house, args=(desk, every, stop), name="housekeeping", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_GRACE)


def _keep_house(desk: Desk, every: float, stop: threading.Event) -> None:
    _look(desk)
    while not stop.wait(every):
        _look(desk)


def _look(desk: Desk) -> None:
    try:
        dropped = Tidy(desk).expire()
    except WindlassError as error:
        log.warning("%s: what is kept for undo was not looked at: %s", desk.cluster, error)
        return
    if dropped:
        log.info("%s: dropped %d kept tables", desk.cluster, dropped)
