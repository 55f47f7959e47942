"""What stops a statement: KILL QUERY, a client that goes away, a body that is not whole."""

import http.client
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from tests.localstack.conftest import PASSWORD, USER, Front

Eventually = Callable[[Callable[[], bool]], None]
LOGIN = "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode()


class Caught(threading.Thread):
    """Runs a call in a thread and keeps what it raises."""

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._call = call
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._call()
        except BaseException as error:
            self.error = error

    def ended(self) -> BaseException | None:
        self.join(15)
        assert not self.is_alive(), "the client still waits"
        return self.error


def _running(client: Any, comment: str) -> int:
    sql = "SELECT count() FROM system.processes WHERE Settings['log_comment'] = {c:String}"
    found: int = client.command(sql, parameters={"c": comment})
    return found


def _kill(client: Any, comment: str) -> None:
    pattern = comment.replace("_", r"\_")
    sql = "KILL QUERY WHERE Settings['log_comment'] LIKE {p:String} SYNC"
    client.command(sql, parameters={"p": f"{pattern}%"})


def _blocked(release: threading.Event, head: bytes = b"1\n2\n") -> Iterator[bytes]:
    """A body whose rest does not come until `release`."""
    yield head
    release.wait(20)
    yield b"3\n"


def test_kill_an_insert_that_waits_for_data(
    front: Front, client: Any, database: str, eventually: Eventually
) -> None:
    client.command(f"CREATE TABLE {database}.t (a UInt64) ENGINE = MergeTree ORDER BY a")
    release = threading.Event()
    loader = front.client(database=database)
    settings = {"log_comment": "campaign/window/1"}
    call = Caught(
        lambda: loader.raw_insert("t", insert_block=_blocked(release), fmt="CSV", settings=settings)
    )
    eventually(lambda: _running(client, "campaign/window/1") == 1)
    start = time.monotonic()
    _kill(client, "campaign/window/")
    assert time.monotonic() - start < 3
    assert _running(client, "campaign/window/1") == 0
    release.set()
    error = call.ended()
    assert isinstance(error, DatabaseError)
    assert "Code: 394" in str(error)
    assert client.command(f"SELECT count() FROM {database}.t") == 0


def test_kill_an_insert_that_runs(
    front: Front, client: Any, database: str, eventually: Eventually
) -> None:
    client.command(f"CREATE TABLE {database}.t (a UInt64) ENGINE = MergeTree ORDER BY a")

    def endless() -> Iterator[bytes]:
        rows = b"".join(b"%d\n" % number for number in range(100_000))
        end = time.monotonic() + 20
        while time.monotonic() < end:
            yield rows

    loader = front.client(database=database)
    settings = {"log_comment": "running_insert"}
    call = Caught(
        lambda: loader.raw_insert("t", insert_block=endless(), fmt="CSV", settings=settings)
    )
    eventually(lambda: _running(client, "running_insert") == 1)
    _kill(client, "running_insert")
    assert _running(client, "running_insert") == 0
    assert "Code: 394" in str(call.ended())


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)",
        "SELECT number, sleepEachRow(0.00001) FROM numbers(1000000000)",
        "INSERT INTO FUNCTION null('a UInt64') SELECT sipHash64(number) FROM numbers(1000000000)",
    ],
)
def test_kill_without_a_body(front: Front, client: Any, eventually: Eventually, sql: str) -> None:
    other = front.client()
    call = Caught(lambda: other.command(sql, settings={"log_comment": "endless"}))
    eventually(lambda: _running(client, "endless") == 1)
    _kill(client, "endless")
    assert _running(client, "endless") == 0
    assert "Code: 394" in str(call.ended())


def test_kill_a_select_that_nobody_reads(front: Front, client: Any, eventually: Eventually) -> None:
    """The engine waits for the client to read: KILL … SYNC must not wait with it."""
    with _post(front, "SELECT number FROM numbers(1000000000000)", log_comment="unread"):
        eventually(lambda: _running(client, "unread") == 1)
        _kill(client, "unread")
        assert _running(client, "unread") == 0


def test_kill_by_the_clients_query_id(
    front: Front, client: Any, database: str, eventually: Eventually
) -> None:
    client.command(f"CREATE TABLE {database}.t (a UInt64) ENGINE = MergeTree ORDER BY a")
    release = threading.Event()
    loader = front.client(database=database)
    settings = {"query_id": "my-own-id"}
    call = Caught(
        lambda: loader.raw_insert("t", insert_block=_blocked(release), fmt="CSV", settings=settings)
    )
    sql = "SELECT count() FROM system.processes WHERE query_id = 'my-own-id'"
    eventually(lambda: bool(client.command(sql) == 1))
    with pytest.raises(DatabaseError, match="216"):
        client.command("SELECT 1", settings=settings)
    client.command("KILL QUERY WHERE query_id = 'my-own-id' SYNC")
    release.set()
    assert "Code: 394" in str(call.ended())


def test_a_kill_spares_the_others(
    front: Front, client: Any, database: str, eventually: Eventually
) -> None:
    client.command(f"CREATE TABLE {database}.t (a UInt64) ENGINE = MergeTree ORDER BY a")
    release = threading.Event()

    def load(number: int) -> None:
        loader = front.client(database=database)
        settings = {"log_comment": f"w{number}."}
        loader.raw_insert("t", insert_block=_blocked(release), fmt="CSV", settings=settings)

    calls = [Caught(partial(load, number)) for number in (1, 12)]
    eventually(lambda: _running(client, "w1.") == 1 and _running(client, "w12.") == 1)
    _kill(client, "w1.")
    release.set()
    assert "Code: 394" in str(calls[0].ended())
    assert calls[1].ended() is None
    assert client.command(f"SELECT count() FROM {database}.t") == 3


def _post(
    front: Front, query: str, body: bytes = b"", *, cut: bool = False, **params: str
) -> socket.socket:
    """A request over a bare socket. `cut`: announced as longer than it is."""
    url = "&".join(f"{name}={quote(value)}" for name, value in {**params, "query": query}.items())
    length = len(body) + 1000 * cut
    head = f"POST /?{url} HTTP/1.1\r\nAuthorization: {LOGIN}\r\nContent-Length: {length}\r\n\r\n"
    sock = socket.create_connection(("127.0.0.1", front.port))
    sock.sendall(head.encode() + body)
    return sock


def _csv() -> bytes:
    return b"".join(b"%d,%s,x\n" % (number, b"y" * 20) for number in range(2000))


def _arrow(kind: Callable[..., Any]) -> bytes:
    table = pa.table(
        {"a": pa.array(range(2000), pa.uint64()), "b": ["y"] * 2000, "c": ["x"] * 2000}
    )
    sink = pa.BufferOutputStream()
    with kind(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=500)
    body: bytes = sink.getvalue().to_pybytes()
    return body


def _json() -> bytes:
    return b"".join(b'{"a": %d, "b": "y", "c": "x"}\n' % number for number in range(2000))


def _binary() -> bytes:
    return b"".join(number.to_bytes(8, "little") + b"\x01y\x01x" for number in range(2000))


BODIES: dict[str, Callable[[], bytes]] = {
    "CSV": _csv,
    "TabSeparated": lambda: _csv().replace(b",", b"\t"),
    "JSONEachRow": _json,
    "RowBinary": _binary,
    "Values": lambda: b",".join(b"(%d,'y','x')" % number for number in range(2000)),
    "ArrowStream": lambda: _arrow(pa.ipc.new_stream),
    "Arrow": lambda: _arrow(pa.ipc.new_file),
}
TABLE = "(a UInt64, b String, c String) ENGINE = MergeTree ORDER BY a"


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_cut_short_loads_nothing(
    front: Front, client: Any, database: str, eventually: Eventually, name: str
) -> None:
    """The client dies: what arrived is a well-formed prefix, and still must not be committed."""
    client.command(f"CREATE TABLE {database}.t {TABLE}")
    body, sql = BODIES[name](), f"INSERT INTO {database}.t FORMAT {name}"
    for end in (len(body), len(body) - 8) if name == "ArrowStream" else (len(body),):
        sock = _post(front, sql, body[:end], cut=True, log_comment=f"cut {name}")
        eventually(lambda: _running(client, f"cut {name}") == 1)
        sock.close()
        eventually(lambda: _running(client, f"cut {name}") == 0)
        assert client.command(f"SELECT count() FROM {database}.t") == 0
    with _post(front, sql, body) as sock:
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        assert (answer.status, answer.read()) == (200, b"")
    found = client.query(f"SELECT count(), max(a) FROM {database}.t").result_rows
    assert found == [(2000, 1999)]


def test_a_half_closed_client_gets_the_reason(front: Front, client: Any, database: str) -> None:
    client.command(f"CREATE TABLE {database}.t {TABLE}")
    with _post(front, f"INSERT INTO {database}.t FORMAT CSV", _csv(), cut=True) as sock:
        sock.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        assert answer.getheader("X-ClickHouse-Exception-Code") == "210"
        assert b"not whole" in answer.read()
    assert client.command(f"SELECT count() FROM {database}.t") == 0


def test_a_client_that_stands_still_is_given_up(front: Front, client: Any, database: str) -> None:
    client.command(f"CREATE TABLE {database}.t {TABLE}")
    sql = f"INSERT INTO {database}.t FORMAT CSV"
    with _post(front, sql, _csv(), cut=True, http_receive_timeout="0.2") as sock:
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        assert (answer.status, answer.getheader("X-ClickHouse-Exception-Code")) == (503, "209")
    assert client.command(f"SELECT count() FROM {database}.t") == 0


@pytest.mark.parametrize("rows", ["1000000000000", "100000000000"])
def test_a_select_ends_with_its_client(
    front: Front, client: Any, eventually: Eventually, rows: str
) -> None:
    with _post(front, f"SELECT number FROM numbers({rows})", log_comment="left alone"):
        eventually(lambda: _running(client, "left alone") == 1)
    eventually(lambda: _running(client, "left alone") == 0)


def test_a_silent_select_ends_with_its_client_when_asked(
    front: Front, client: Any, eventually: Eventually
) -> None:
    sql = "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)"
    wish = {"cancel_http_readonly_queries_on_client_close": "1"}
    with _post(front, sql, b"", cut=False, log_comment="silent", **wish):
        eventually(lambda: _running(client, "silent") == 1)
    eventually(lambda: _running(client, "silent") == 0)


def test_an_early_error_is_seen_by_a_busy_sender(client: Any, database: str) -> None:
    """The statement fails at once; the client, still sending, gets the reason all the same."""
    body = iter([b"1,y,x\n" * 10_000] * 2000)
    with pytest.raises(DatabaseError, match="UNKNOWN_TABLE"):
        client.raw_insert(f"{database}.nowhere", insert_block=body, fmt="CSV")
    assert client.command("SELECT 1") == 1
