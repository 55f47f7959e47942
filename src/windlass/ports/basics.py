"""What every port shares: the time, and the pulse of work."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

Pulse = Callable[[int], None]
"""Called while work moves, with the rows done since the last call. It may raise CancelledError:
the adapter must then stop its server-side work, prove it dead, and let the error through."""


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The present instant, in UTC."""
        ...
