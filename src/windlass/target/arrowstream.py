"""Arrow batches as the bytes of one Arrow stream, one batch in memory at a time."""

import threading
import time
from collections.abc import Generator, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from windlass.domain.stopwatch import add, stage
from windlass.target.uuidtext import READS_BYTES, with_text_uuids
from windlass.target.watch import Moved

if TYPE_CHECKING:
    import pyarrow as pa


class StoppedError(Exception):
    """The stream was told to stop; the caller knows why."""


class ArrowBody:
    """The body of an INSERT. Extension types go as what they are stored as; `columns` are the
    names in the stream's order, known once `begin` has pulled the first batch. `release` is the
    server's: older ones are sent uuids as text."""

    def __init__(
        self,
        batches: Iterable["pa.RecordBatch"],
        moved: Moved,
        release: tuple[int, int] = READS_BYTES,
    ) -> None:
        self._batches, self._moved = iter(batches), moved
        self._text_uuids = release < READS_BYTES
        self._first: pa.RecordBatch | None = None
        self._stopped = threading.Event()
        self.failure: BaseException | None = None
        self._ended = 0.0

    def begin(self) -> list[str]:
        """Pull the first batch that has rows; its column names, or [] when there is none."""
        for batch in self._pull():
            if batch.num_rows:
                self._first = batch
                return list(batch.schema.names)
        return []

    def stop(self) -> None:
        """Break the stream off at the next batch: the server must not take it for complete."""
        self._stopped.set()

    def stream(self) -> Generator[bytes, None, None]:
        """The stream, a piece a batch. Raises what the batches raise, or StoppedError."""
        import pyarrow as pa

        if self._first is None:
            return
        first = self._plain(self._first)
        sink = _Sink()
        with pa.ipc.new_stream(sink, first.schema) as writer:
            for batch in chain([first], self._pull()):
                with stage("convert"):
                    plain = self._plain(batch)
                    writer.write_batch(plain)
                    piece = self._sent(sink, plain)
                # Until the next one is asked for, this one is on its way.
                with stage("send"):
                    yield piece
        yield sink.take()
        self._ended = time.perf_counter()

    def answered(self) -> None:
        """The server has taken all of it: since the last piece went out, it was at work alone."""
        add("insert", time.perf_counter() - self._ended)

    def _plain(self, batch: "pa.RecordBatch") -> "pa.RecordBatch":
        return with_text_uuids(stored(batch)) if self._text_uuids else stored(batch)

    def _sent(self, sink: "_Sink", batch: "pa.RecordBatch") -> bytes:
        self._moved.add(batch.num_rows)
        return sink.take()

    def _pull(self) -> Iterator["pa.RecordBatch"]:
        while (batch := self._next()) is not None:
            yield batch

    def _next(self) -> "pa.RecordBatch | None":
        try:
            if self._stopped.is_set():
                raise StoppedError
            return next(self._batches, None)
        except BaseException as error:
            self.failure = error
            raise


class _Sink:
    """A file to write to that gives out and forgets what was written."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: "pa.Buffer | bytes") -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        return len(piece)

    def flush(self) -> None:
        return

    def close(self) -> None:
        self.closed = True

    def take(self) -> bytes:
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data


def stored(batch: "pa.RecordBatch") -> "pa.RecordBatch":
    """The batch with extension types (uuid, json, numeric as text) taken off."""
    import pyarrow as pa

    if not any(isinstance(one.type, pa.BaseExtensionType) for one in batch.schema):
        return batch
    columns = [
        column.storage if isinstance(column.type, pa.BaseExtensionType) else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
