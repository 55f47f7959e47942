"""One stream of batches dealt out to several servers at once, each with an INSERT of its own."""

import contextvars
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from windlass.domain.errors import CancelledError
from windlass.ports import Pulse

if TYPE_CHECKING:
    import pyarrow as pa

Insert = Callable[[Iterable["pa.RecordBatch"], Pulse], None]
"""Streams batches into one server; pulses while they move."""

_WAITING = 2
"""Batches that wait for each server, so that memory stays bounded."""
_LOOK = 0.1


class Lanes:
    """`inserts` run side by side, fed by `run`. When one fails, or the pulse raises, all others
    are stopped, and proven dead by the inserts themselves, before the error goes on."""

    def __init__(self, inserts: Iterable[Insert]) -> None:
        self._beats: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._lanes = [_Lane(insert, self._beats) for insert in inserts]

    def run(self, dealt: "Iterable[tuple[int, pa.RecordBatch]]", pulse: Pulse) -> None:
        """Feed each batch to the lane at its position, end the lanes, and wait for them."""
        try:
            for place, batch in dealt:
                self._put(self._lanes[place], batch, pulse)
            for lane in self._lanes:
                self._put(lane, None, pulse)
            for lane in self._lanes:
                while lane.running():
                    self._forward(pulse)
            self._forward(pulse)
        except BaseException:
            self._stop()
            raise

    def _put(self, lane: "_Lane", batch: "pa.RecordBatch | None", pulse: Pulse) -> None:
        while not lane.offer(batch):
            self._forward(pulse)

    def _forward(self, pulse: Pulse) -> None:
        """Pulse for what the lanes report; raise what one of them failed with."""
        for lane in self._lanes:
            if lane.error is not None:
                raise lane.error
        while not self._beats.empty():
            pulse(self._beats.get())

    def _stop(self) -> None:
        for lane in self._lanes:
            lane.stop()
        for lane in self._lanes:
            while lane.running():
                pass


class _Lane:
    def __init__(self, insert: Insert, beats: "queue.SimpleQueue[int]") -> None:
        self.error: BaseException | None = None
        self._insert, self._beats = insert, beats
        self._stopped = threading.Event()
        self._queue: queue.Queue[pa.RecordBatch | None] = queue.Queue(_WAITING)
        context = contextvars.copy_context()
        self._thread = threading.Thread(
            target=context.run, args=(self._work,), name="windlass-lane", daemon=True
        )
        self._thread.start()

    def offer(self, batch: "pa.RecordBatch | None") -> bool:
        """Whether the lane took it, in a moment; a lane that has failed takes nothing."""
        if self.error is not None:
            return False
        try:
            self._queue.put(batch, timeout=_LOOK)
        except queue.Full:
            return False
        return True

    def running(self) -> bool:
        """Whether it still runs, after a moment of waiting."""
        self._thread.join(_LOOK)
        return self._thread.is_alive()

    def stop(self) -> None:
        """Break the stream off: the server must not take it for complete."""
        self._stopped.set()

    def _work(self) -> None:
        try:
            self._insert(self._batches(), self._pulse)
        except BaseException as error:
            self.error = error

    def _batches(self) -> "Iterator[pa.RecordBatch]":
        while True:
            self._check()
            try:
                batch = self._queue.get(timeout=_LOOK)
            except queue.Empty:
                continue
            if batch is None:
                return
            yield batch

    def _pulse(self, rows: int) -> None:
        self._check()
        self._beats.put(rows)

    def _check(self) -> None:
        if self._stopped.is_set():
            raise CancelledError("another shard's stream ended")
