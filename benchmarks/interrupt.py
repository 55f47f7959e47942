"""Being told to stop. Libraries written in C++ turn the KeyboardInterrupt of a signal into errors
of their own; so whoever goes on after an error asks here first."""

import signal
from types import FrameType

_asked: list[int] = []


def listen() -> None:
    """From now on SIGINT and SIGTERM raise KeyboardInterrupt, and are remembered."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)


def _stop(number: int, _frame: FrameType | None) -> None:
    _asked.append(number)
    raise KeyboardInterrupt


def check() -> None:
    """KeyboardInterrupt, if we were told to stop."""
    if _asked:
        raise KeyboardInterrupt
