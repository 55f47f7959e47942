"""Rows as Arrow: ADBC over binary COPY, in the attempt's own session.

A stream ends in one of two ways only: the server said that the COPY and its transaction are
complete, or an error is raised. Left early, the query is cancelled and the session proven gone.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import adbc_driver_postgresql
import pyarrow as pa
from adbc_driver_manager import AdbcConnection, AdbcDatabase, AdbcStatement, Error

from windlass.domain import blocks
from windlass.domain.errors import UnreachableError
from windlass.domain.stopwatch import stage
from windlass.source.ahead import Ahead
from windlass.source.errors import Failure, snapshot_lost
from windlass.source.kill import end_session
from windlass.source.session import BEGIN, CONTROL, Server, set_snapshot

_HINT = "adbc.postgresql.batch_size_hint_bytes"
_COPY = "adbc.postgresql.use_copy"
_READING = "reading rows"
_NO_HEADER = "ReadHeader failed"
_TYPE, _UUID = b"ADBC:postgresql:typname", pa.binary(16)


@dataclass
class Driver:
    """ADBC's view of the server, loaded once: it reads the type catalogue (some 40 ms)."""

    server: Server
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _database: AdbcDatabase | None = None

    def connect(self) -> AdbcConnection:
        """A new session. UnreachableError, AccessError."""
        try:
            return AdbcConnection(self._opened())
        except Error as error:
            raise self.server.error(_failure(error, connecting=True), "connecting") from None

    def _opened(self) -> AdbcDatabase:
        # Asked without the lock: one reader that hangs here must not make all others hang too.
        made = self._database or adbc_driver_postgresql.connect(self.server.conninfo(CONTROL))
        with self._lock:
            self._database = self._database or made
            return self._database


def _failure(error: Exception, *, connecting: bool = False) -> Failure:
    return Failure(getattr(error, "sqlstate", None) or "", str(error), "", connecting)


class Session:
    """One ADBC session of an attempt, inside one read-only transaction."""

    def __init__(self, driver: Driver, name: str, snapshot: str | None) -> None:
        self._server = driver.server
        self._connection = driver.connect()
        self._statement: AdbcStatement | None = None
        self._reader: pa.RecordBatchReader | None = None
        self.pid = 0
        with ExitStack() as undo:
            undo.callback(self.close)
            self.pid = self._pid(self._server.settings(name))
            self._command(BEGIN)
            if snapshot is not None:
                self._import(snapshot)
            undo.pop_all()

    def _import(self, snapshot: str) -> None:
        try:
            self._execute(set_snapshot(snapshot))
        except Error as error:
            failure = self._server.cleaned(_failure(error))
            raise snapshot_lost(failure, self._server.place, snapshot) from None

    def _execute(self, statement: str, *, copy: bool = False) -> pa.RecordBatchReader:
        self._drop()
        self._statement = AdbcStatement(self._connection)
        options = {_HINT: str(blocks.smaller(blocks.BYTES)), _COPY: "true" if copy else "false"}
        self._statement.set_options(**options)
        self._statement.set_sql_query(statement)
        handle, _ = self._statement.execute_query()
        self._reader = pa.RecordBatchReader.from_stream(handle)
        return self._reader

    def _command(self, statement: str) -> None:
        with self._translated():
            self._execute(statement).close()

    def _pid(self, statement: str) -> int:
        with self._translated(), self._execute(statement) as reader:
            return int(reader.read_all().column(0)[0].as_py())

    def copy(self, query: str) -> pa.RecordBatchReader:
        """Start streaming the query's rows."""
        with self._translated():
            return self._execute(query, copy=True)

    def batches(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        """The stream's batches, extension types as what they are stored in."""
        while True:
            with self._translated(), stage("read"):
                try:
                    batch = reader.read_next_batch()
                except StopIteration:
                    break
            if batch.num_rows:
                yield plain(batch)

    def table(self, query: str) -> pa.Table:
        """The query's whole result."""
        reader = self.copy(query)
        return pa.Table.from_batches(list(self.batches(reader)), plain_schema(reader.schema))

    def finish(self) -> None:
        """Have the server's word that the transaction, and so the last COPY, is complete."""
        self._command("COMMIT")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        # A stream's errors arrive as OSError or ArrowInvalid, without SQLSTATE.
        try:
            yield
        except (Error, OSError, pa.ArrowException) as error:
            raise self._server.error(_failure(self._told(error)), _READING) from None

    def _told(self, error: Exception) -> Exception:
        """Older drivers keep to themselves what ended a COPY before its first row; the session
        knows at least whether the server is still there."""
        if _NO_HEADER not in str(error):
            return error
        try:
            self._execute("SELECT 1").close()
        except Error as told:
            return told
        return error

    def cancel(self) -> None:
        """Stop what runs, from any thread."""
        self._quietly(self._connection.cancel)

    def close(self) -> None:
        """End the session."""
        self._drop()
        self._quietly(self._connection.close)

    def _drop(self) -> None:
        # A result first, then its statement: older drivers free what the result still reads from.
        for one in (self._reader, self._statement):
            if one is not None:
                self._quietly(one.close)
        self._reader = self._statement = None

    def _quietly(self, act: Callable[[], object]) -> None:
        # What is being thrown away may be broken already: that is why it is thrown away.
        try:
            act()
        except (Error, RuntimeError):
            return


@contextmanager
def stream(
    driver: Driver, query: str, name: str, snapshot: str | None
) -> Iterator[Iterator[pa.RecordBatch]]:
    """Stream a query's rows; leaving early cancels it on the server and proves it gone."""
    session = Session(driver, name, snapshot)
    ended = _Ended(session)
    ahead: Ahead | None = None
    try:
        ahead = Ahead(ended.watch(session.batches(session.copy(query))))
        yield iter(ahead)
    finally:
        if not ended.done:
            session.cancel()
        if ahead is not None:
            ahead.stop()
        session.close()
        if not ended.done:
            _prove_gone(driver.server, name, session.pid)


@dataclass
class _Ended:
    """Whether the stream came to its proper end."""

    session: Session
    done: bool = False

    def watch(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from batches
        self.session.finish()
        self.done = True


def _prove_gone(server: Server, name: str, pid: int) -> None:
    try:
        end_session(server, name, pid)
    except UnreachableError:
        # The server is gone, and its sessions with it; the error that led here tells more.
        return


def read_all(driver: Driver, queries: Sequence[str], name: str, snapshot: str | None) -> pa.Table:
    """The results of like queries, from one snapshot, as one table."""
    session = Session(driver, name, snapshot)
    try:
        tables = [session.table(query) for query in queries]
        session.finish()
        return pa.concat_tables(tables)
    finally:
        session.close()


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """The schema without metadata, extension types (uuid, numeric) as their storage."""
    return pa.schema([pa.field(one.name, _storage(one)) for one in schema])


def _storage(field: pa.Field) -> pa.DataType:
    kind = field.type
    kept = kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind
    known = (field.metadata or {}).get(_TYPE)
    return _UUID if known == b"uuid" and kept == pa.binary() else kept


def plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch in `plain_schema`; only uuids that may be NULL are copied, by some drivers."""
    schema = plain_schema(batch.schema)
    arrays = [_plain(*both) for both in zip(batch.columns, schema.types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _plain(array: pa.Array, kind: pa.DataType) -> pa.Array:
    kept = array.storage if isinstance(array, pa.ExtensionArray) else array
    if kept.type == kind:
        return kept
    # Without a NULL, sixteen bytes follow upon sixteen: anything else is taken apart row by row.
    values = kept.buffers()[-1]
    if kept.null_count or kept.offset or values is None or values.size != len(kept) * 16:
        return kept.cast(kind)
    return pa.Array.from_buffers(kind, len(kept), [None, values])
