"""Hashing Arrow batches in this process, with the same engine that hashes staging."""

import atexit
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from windlass.domain.errors import ConfigError, PlanError
from windlass.domain.results import Digest
from windlass.domain.schema import ColumnPair
from windlass.target.arrowstream import stored
from windlass.target.names import quote
from windlass.verify.canonical import arrow_texts, arrow_values, fast_digest

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_AT_ONCE = 100_000
_ENGINE: list[Any] = []
"""The one in-process engine; chDB allows one data directory in a process."""
_LOCK = threading.Lock()
"""Held for each look-up and hash: chDB finds the batches by the name of a Python variable, and
of two threads that hash at once one may be given the other's (seen: 1 of 4 sums wrong)."""


class ChdbDigest:
    """A running digest of Arrow batches: they are gathered to a hundred thousand rows, then
    hashed at once. Not for use by two threads at a time."""

    def __init__(self, pairs: Sequence[ColumnPair]) -> None:
        self._items = fast_digest(arrow_values(pairs, quote))
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0
        self._rows, self._sum = 0, 0

    def update(self, batch: "pa.RecordBatch") -> None:
        """Take one batch in."""
        if not batch.num_rows:
            return
        self._waiting.append(stored(batch))
        self._waiting_rows += batch.num_rows
        if self._waiting_rows >= _ROWS_AT_ONCE:
            self._hash()

    def result(self) -> Digest:
        """The digest of everything taken in."""
        if self._waiting:
            self._hash()
        return Digest(self._rows, str(self._sum))

    def _hash(self) -> None:
        import pyarrow as pa

        gathered = _without_nulls(pa.Table.from_batches(self._waiting))
        self._waiting, self._waiting_rows = [], 0
        rows, total = _aggregate(self._items, gathered)
        self._rows += rows
        self._sum += total


def _without_nulls(rows: "pa.Table") -> "pa.Table":
    """The rows, with columns that have no NULL declared so: the engine then looks for none, which
    is a quarter of its work."""
    import pyarrow as pa

    fields = [
        field.with_nullable(column.null_count > 0)
        for field, column in zip(rows.schema, rows.columns, strict=True)
    ]
    return pa.Table.from_arrays(rows.columns, schema=pa.schema(fields))


def _aggregate(items: str, windlass_batches: "pa.Table") -> tuple[int, int]:
    """Evaluate two select items over the table, which chDB finds by this parameter's name."""
    with _LOCK:
        answer = _engine().query(
            f"SELECT {items} FROM Python(windlass_batches) SETTINGS max_threads = 1", "TSV"
        )
    rows, total = str(answer).strip().split("\t")
    return int(rows), int(total)


def warm() -> None:
    """Start the engine: its first answer takes half a second, which no window should wait for.
    Where it is missing, the first window says so."""
    import pyarrow as pa

    with suppress(ConfigError):
        _aggregate("count(), count()", pa.table({"n": [1]}))


def arrow_of(sql: str) -> "pa.Table":
    """The rows of a SELECT that the in-process engine computes. PlanError: it cannot."""
    import pyarrow as pa

    with _LOCK:
        try:
            answer = _engine().query(sql, "Arrow")
        except RuntimeError as error:
            raise PlanError(
                "the worker's own engine cannot compute this", why=str(error).split(" (version")[0]
            ) from None
    with pa.ipc.open_file(pa.BufferReader(answer.bytes())) as reader:
        return reader.read_all()


def texts_of(pairs: Sequence[ColumnPair], rows: "pa.Table") -> "pa.Table":
    """The canonical texts of these columns of rows as the source reads them."""
    import pyarrow as pa

    items = ", ".join(
        f"{text} AS {quote(pair.name)}"
        for pair, text in zip(pairs, arrow_texts(pairs, quote), strict=True)
    )
    plain = pa.Table.from_batches([stored(batch) for batch in rows.to_batches()])
    return _texts(items, plain.select([pair.name for pair in pairs]))


def _texts(items: str, windlass_batches: "pa.Table") -> "pa.Table":
    import pyarrow as pa

    with _LOCK:
        answer = _engine().query(
            f"SELECT {items} FROM Python(windlass_batches) SETTINGS max_threads = 1", "Arrow"
        )
    with pa.ipc.open_file(pa.BufferReader(answer.bytes())) as reader:
        return reader.read_all()


def _engine() -> Any:  # noqa: ANN401 - chdb is untyped
    if not _ENGINE:
        try:
            import chdb
        except ImportError:
            raise _missing() from None
        _ENGINE.append(chdb.connect(":memory:"))
        atexit.register(_close)
    return _ENGINE[0]


def _close() -> None:
    """Before the interpreter takes its modules apart, which the engine would complain of."""
    with _LOCK:
        for engine in _ENGINE:
            engine.close()
        _ENGINE.clear()


def _missing() -> ConfigError:
    return ConfigError(
        "the worker cannot hash what it reads",
        where="this worker's Python",
        why="the package chdb is not installed",
        next_step="pip install 'windlass[local]' on the worker",
    )
