"""How large the blocks are that rows travel in: smaller for a tenant whose windows struggle.

Who reads and who sends ask for their sizes here; what works for one load says beforehand, in the
context of its threads, by how much smaller than usual they are at any moment.
"""

from collections.abc import Callable
from contextvars import ContextVar

USUAL = 1
"""The divisor that makes nothing smaller."""
BYTES = 2 << 20
"""Aim of one block on its way: what a reader holds in memory, whatever the window's size."""

_DIVISOR: ContextVar[Callable[[], int] | None] = ContextVar("blocks", default=None)


def follow(divisor: Callable[[], int]) -> None:
    """From now on, sizes of this thread and of those that inherit its context are divided by
    what `divisor` answers whenever it is asked."""
    _DIVISOR.set(divisor)


def smaller(size: int) -> int:
    """The size to use now, in whatever unit `size` is; never below 1."""
    divisor = _DIVISOR.get()
    return max(1, size // divisor()) if divisor else size


def rows(count: int, size: int) -> int | None:
    """How many rows of a block of so many rows and bytes may travel at once; None: all of them."""
    allowed = smaller(BYTES)
    if allowed >= BYTES or size <= allowed:
        return None
    return max(1, count * allowed // size)
