"""Two servers at work at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def beside(work: Callable[[], T]) -> Iterator[Future[T]]:
    """`work` on a thread of its own while the block runs, which does not end before it."""
    with ThreadPoolExecutor(1, "beside") as pool:
        yield pool.submit(copy_context().run, work)
