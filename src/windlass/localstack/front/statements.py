"""Running one statement for one client: rows out, data in, or neither."""

import contextlib
import socket
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path

from windlass.localstack.front import sqltext
from windlass.localstack.front.engine import Connection, Engine, quote
from windlass.localstack.front.errors import FrontError, cancelled
from windlass.localstack.front.exchange import Exchange, collect
from windlass.localstack.front.jobs import InputJob, Job, OutputJob, infile, outfile
from windlass.localstack.front.running import Running
from windlass.localstack.front.sqltext import Statement
from windlass.localstack.front.wire import BodyCutShortError

_CONTENT_TYPES = {
    "json": "application/json; charset=UTF-8",
    "csv": "text/csv; charset=UTF-8",
    "tabseparated": "text/tab-separated-values; charset=UTF-8",
    "tsv": "text/tab-separated-values; charset=UTF-8",
    "xml": "application/xml; charset=UTF-8",
    **dict.fromkeys(
        ("native", "rowbinary", "arrow", "parquet", "orc", "protobuf", "msgpack", "avro"),
        "application/octet-stream",
    ),
}


_ARROW_MAGIC = b"ARROW1\0\0"
_ARROW_FOOTER = 1 << 20  # more than the footer of a file of 40,000 batches
# How long a client may let a killed SELECT wait before it is hung up on.
_PATIENCE = 0.5


class Runner:
    """Runs statements on a connection that the caller has prepared."""

    def __init__(self, engine: Engine, running: Running) -> None:
        self._engine, self._running = engine, running

    def output(self, exchange: Exchange, connection: Connection, statement: Statement) -> None:
        """Send rows while the engine makes them."""
        name = statement.format or exchange.default_format
        job = OutputJob(self._engine, connection)
        sql = self._with_ids(statement.body) + outfile(job.path)
        sql += f"FORMAT {name} ".encode() + statement.tail
        _announce(exchange, name)
        try:
            with self._running.listed(
                job, exchange.query_id, partial(exchange.responder.give_up, _PATIENCE)
            ):
                job.start(sql, name, exchange.bind)
                with _no_longer_than(job):
                    self._send_rows(exchange, job)
                _finish(exchange, job)
        finally:
            job.close()

    def _send_rows(self, exchange: Exchange, job: OutputJob) -> None:
        gone = "cancel_http_readonly_queries_on_client_close"
        watched = exchange.sock if exchange.params.get(gone) in ("1", "true") else None
        _keep_warm(exchange, lambda seconds: job.ready(seconds, watched))
        while piece := job.read():
            exchange.responder.write(piece)
            _keep_warm(exchange, lambda seconds: job.ready(seconds, watched))

    def insert(
        self,
        exchange: Exchange,
        connection: Connection,
        statement: Statement,
        data: Iterator[bytes],
    ) -> None:
        """Stream a body into the engine. Its end is passed on only when the client said so."""
        job = InputJob(self._engine, connection)
        keep = 1
        if statement.format.lower() == "arrow":
            statement, data = arrow_as_stream(statement, data)
            keep = _ARROW_FOOTER
        sql = _reading(statement, job.path)
        with self._running.listed(job, exchange.query_id, _stop_reading(exchange.sock)):
            job.start(sql, "Null", exchange.bind)
            job.open()
            with _no_longer_than(job):
                _feed(job, held_back(data, keep))
                job.close()
            _finish(exchange, job)

    def other(
        self,
        exchange: Exchange,
        connection: Connection,
        statement: Statement,
        data: Iterator[bytes],
    ) -> None:
        """Run a statement that gives little or nothing, and wait for it."""
        job = Job(self._engine, connection)
        sql = collect(data, statement.body)
        sql = self._with_ids(sql) + f"\n/* {job.tag} */\n".encode()
        sql += f"FORMAT {statement.format}".encode() if statement.format else b""
        sql += statement.tail
        is_kill = statement.kind == "kill"
        with self._running.listed(job, exchange.query_id, _nothing):
            job.start(sql, exchange.default_format, exchange.bind)
            while is_kill and not job.wait(0.1):
                self._running.poke()
            try:
                _keep_warm(exchange, job.wait)
            finally:
                job.wait()  # it goes on when its client has gone, and still needs its connection
            if is_kill:
                self._running.poke()
            if output := job.outcome().output:
                _announce(exchange, statement.format or exchange.default_format)
                exchange.responder.write(output)
            _finish(exchange, job)

    def _with_ids(self, sql: bytes) -> bytes:
        """Put the engine's query ids for the clients' own, where a statement looks for one."""
        if b"query_id" not in sql:
            return sql
        for query_id, tag in self._running.engine_ids().items():
            literal = quote(query_id).encode(errors="surrogateescape")
            if literal in sql and (found := self._engine.query_id_of(tag)):
                sql = sql.replace(literal, quote(found).encode())
        return sql


def held_back(data: Iterator[bytes], keep: int) -> Iterator[bytes]:
    """The same pieces, the last `keep` bytes only when the body has ended properly: the engine
    takes some formats for complete at their own end mark, before the client has said so."""
    held: deque[bytes] = deque()
    size = 0
    for piece in data:
        held.append(piece)
        size += len(piece)
        while size - len(held[0]) >= keep:
            size -= len(held[0])
            yield held.popleft()
    yield from held


def arrow_as_stream(
    statement: Statement, data: Iterator[bytes]
) -> tuple[Statement, Iterator[bytes]]:
    """An Arrow file is an Arrow stream between a magic word and a footer: read as a stream, it
    need not be held in memory whole, as the engine holds a file that it cannot seek in."""
    head = b""
    while len(head) < len(_ARROW_MAGIC) and (piece := next(data, b"")):
        head += piece
    if not head.startswith(_ARROW_MAGIC):
        return statement, chain([head] if head else [], data)
    stream = replace(statement, format="ArrowStream")
    return stream, filter(None, chain([head[len(_ARROW_MAGIC) :]], data))


def _reading(statement: Statement, pipe: Path) -> bytes:
    """The INSERT with our pipe in it: as INFILE, or in the place of `input(…)`."""
    body = statement.body
    if statement.input_at is None:
        return body + infile(pipe) + statement.tail + f" FORMAT {statement.format}".encode()
    start, end = statement.input_at
    head = body[:start].rstrip(b"( \t\r\n")[: -len("input")]
    source = f"file('{pipe}', '{statement.format}', ".encode()
    return head + source + body[start:end] + body[end:]


@contextmanager
def _no_longer_than(job: Job) -> Iterator[None]:
    """The statement dies with the exchange of bytes: when the client is gone, when its body is
    not whole or not decodable. When somebody has killed the statement, our own watcher ends the
    exchange: then the engine's word on it is the answer."""
    try:
        yield
    except (BodyCutShortError, OSError):
        was_killed = job.killed.is_set()
        job.kill()
        if not was_killed:
            raise
    except BaseException:
        job.kill()
        raise


def _finish(exchange: Exchange, job: Job) -> None:
    outcome = job.outcome()
    if job.killed.is_set():
        raise cancelled()
    exchange.responder.finish(outcome, exchange.elapsed_ns)


def _feed(job: InputJob, data: Iterator[bytes]) -> None:
    for piece in data:
        if not job.write(piece):
            return


def _keep_warm(exchange: Exchange, ready: Callable[[float], bool]) -> None:
    """Wait; meanwhile send progress headers to clients that ask for them."""
    wanted = exchange.params.get("send_progress_in_http_headers") == "1"
    every = exchange.seconds("http_headers_progress_interval_ms", 0.1, 0.001)
    while not ready(every if wanted else 3600.0):
        if wanted:
            exchange.responder.progress(exchange.elapsed_ns)


def _announce(exchange: Exchange, name: str) -> None:
    lower = name.lower()
    kinds = (kind for start, kind in _CONTENT_TYPES.items() if lower.startswith(start))
    exchange.responder.headers["Content-Type"] = next(kinds, "text/plain; charset=UTF-8")
    exchange.responder.headers["X-ClickHouse-Format"] = name


def _stop_reading(sock: socket.socket) -> Callable[[], None]:
    def act() -> None:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RD)

    return act


def _nothing() -> None:
    """A statement without a stream is woken by the engine itself."""


READ_ONLY = frozenset({"output", "set", "use"})


def check_method(method: str, statement: Statement) -> None:
    """GET and HEAD may only read (164)."""
    if method in ("GET", "HEAD") and statement.kind not in READ_ONLY:
        message = (
            "Cannot execute query in readonly mode. For queries over HTTP, method GET implies"
            " readonly. You should use method POST for modifying queries."
        )
        raise FrontError(164, "READONLY", message)


def used_database(statement: Statement) -> str:
    """The database that a USE statement names."""
    last = list(sqltext.tokens(statement.body))[-1]
    return statement.body[last.start : last.end].decode().strip('`"')
