"""Reading ahead: the next batches arrive while the last one is being hashed and sent."""

import contextvars
import queue
import threading
from collections.abc import Iterator

import pyarrow as pa

DEPTH = 2
"""Batches that wait at most: with the one being read, what reading ahead costs in memory."""
_LOOK = 0.05
"""Seconds between two looks at whether the reader has ended."""


class Ahead:
    """An iterator's batches, pulled by a thread of its own. What it raises is raised here, after
    the batches before it. `stop` ends the thread; what it waits for must have been cancelled."""

    def __init__(self, batches: Iterator[pa.RecordBatch], depth: int = DEPTH) -> None:
        self._batches = batches
        self._queue: queue.Queue[pa.RecordBatch | None] = queue.Queue(depth)
        self._error: BaseException | None = None
        self._stopped = threading.Event()
        context = contextvars.copy_context()
        self._thread = threading.Thread(
            target=context.run, args=(self._pull,), name="windlass-reader", daemon=True
        )
        self._thread.start()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        while (batch := self._queue.get()) is not None:
            yield batch
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """End it, whatever it has read and nobody took."""
        self._stopped.set()
        while self._thread.is_alive():
            self._forget()
            self._thread.join(_LOOK)

    def _forget(self) -> None:
        try:
            while True:
                self._queue.get_nowait()
        except queue.Empty:
            return

    def _pull(self) -> None:
        try:
            for batch in self._batches:
                if self._stopped.is_set():
                    return
                self._queue.put(batch)
        except BaseException as error:
            self._error = error
        self._queue.put(None)
