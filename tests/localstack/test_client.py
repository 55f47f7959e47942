"""The front, asked through the official client: what goes in comes out."""

import datetime as dt
import ipaddress
import threading
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import clickhouse_connect
import psutil
import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, ProgrammingError
from clickhouse_connect.driver.external import ExternalData

from tests.localstack.conftest import Front

UTC = dt.UTC
VALUES: dict[str, list[Any]] = {
    "UInt8": [0, 255],
    "Int64": [-(2**63), 2**63 - 1],
    "UInt64": [0, 2**64 - 1],
    "Int256": [-(2**255), 2**255 - 1],
    "Float64": [0.1, -1e300],
    "Decimal(38, 10)": [Decimal("1.0000000001"), Decimal("-9999999999.5")],
    "Bool": [True, False],
    "String": ["", "naïve 🌊\n\t'\\"],
    "FixedString(3)": [b"abc", b"x\0\0"],
    "UUID": [uuid.UUID(int=1), uuid.UUID(int=2**128 - 1)],
    "Date": [dt.date(1970, 1, 1), dt.date(2149, 6, 6)],
    "Date32": [dt.date(1900, 1, 1), dt.date(2299, 12, 31)],
    "DateTime('UTC')": [dt.datetime(2026, 1, 1), dt.datetime(2106, 1, 1)],
    "DateTime64(6, 'UTC')": [dt.datetime(2026, 1, 1, 0, 0, 0, 1), dt.datetime(1950, 1, 1)],
    "Nullable(String)": [None, "x"],
    "Nullable(Float64)": [None, 1.5],
    "LowCardinality(String)": ["a", "b"],
    "LowCardinality(Nullable(String))": [None, "b"],
    "Array(Array(Int32))": [[], [[1, 2], [], [3]]],
    "Array(Nullable(String))": [[None, "x"], []],
    "Map(String, Int32)": [{"a": 1}, {}],
    "Tuple(a Int8, b String)": [{"a": 1, "b": "x"}, {"a": 2, "b": ""}],
    "Enum8('on' = 1, 'off' = 2)": ["on", "off"],
    "IPv4": [ipaddress.IPv4Address("127.0.0.1"), ipaddress.IPv4Address("0.0.0.0")],
    "IPv6": [ipaddress.IPv6Address("::1"), ipaddress.IPv6Address("2001:db8::1")],
}


@pytest.mark.parametrize("kind", VALUES)
def test_types(client: Any, database: str, kind: str) -> None:
    client.command(f"CREATE TABLE {database}.t (n UInt8, v {kind}) ENGINE = MergeTree ORDER BY n")
    rows = [[number, value] for number, value in enumerate(VALUES[kind])]
    written = client.insert(f"{database}.t", rows, column_names=["n", "v"]).written_rows
    assert written == len(rows)
    found = client.query(f"SELECT n, v FROM {database}.t ORDER BY n").result_rows
    assert [list(row) for row in found] == rows


@pytest.mark.parametrize("coding", [False, "lz4", "zstd", "gzip"])
def test_codings(front: Front, database: str, coding: str | bool) -> None:
    client = front.client(compress=coding, database=database)
    client.command("CREATE TABLE t (n UInt64, s String) ENGINE = MergeTree ORDER BY n")
    rows = [[number, f"value {number}"] for number in range(50_000)]
    client.insert("t", rows, column_names=["n", "s"])
    found = client.query("SELECT n, s FROM t ORDER BY n")
    assert found.result_rows == [tuple(row) for row in rows]
    client.close()


def _arrow(rows: int, start: int = 0) -> pa.RecordBatch:
    numbers = pa.array(range(start, start + rows), pa.int64())
    times = pa.array(range(start, start + rows), pa.timestamp("us", "UTC"))
    texts = pa.array([f"text {n:032d}" for n in range(start, start + rows)])
    return pa.record_batch([numbers, times, texts], ["n", "t", "s"])


ARROW_TABLE = "(n Int64, t DateTime64(6, 'UTC'), s String) ENGINE = MergeTree ORDER BY n"


def test_arrow_both_ways(client: Any, database: str) -> None:
    client.command(f"CREATE TABLE {database}.t {ARROW_TABLE}")
    table = pa.Table.from_batches([_arrow(100_000)])
    client.insert_arrow("t", table, database=database)
    found = client.query_arrow(f"SELECT * FROM {database}.t ORDER BY n", use_strings=True)
    assert found.column("n").to_pylist() == table.column("n").to_pylist()
    assert found.column("s").to_pylist() == table.column("s").to_pylist()
    raw = client.raw_query(f"SELECT * FROM {database}.t FORMAT ArrowStream")
    assert pa.ipc.open_stream(raw).read_all().num_rows == 100_000


@pytest.mark.parametrize("coding", [None, "lz4", "zstd"])
def test_arrow_files(client: Any, database: str, coding: str | None) -> None:
    """Several batches, dictionaries, coded buffers, and a file with nothing in it."""
    table = pa.table(
        {"a": range(1000), "b": pa.array(["x", None, "y", "x"] * 250).dictionary_encode()}
    )
    client.command(
        f"CREATE TABLE {database}.t (a Int64, b LowCardinality(Nullable(String)))"
        " ENGINE = MergeTree ORDER BY a"
    )
    for part in (table, table.slice(0, 0)):
        sink = pa.BufferOutputStream()
        options = pa.ipc.IpcWriteOptions(compression=coding)
        with pa.ipc.new_file(sink, table.schema, options=options) as writer:
            writer.write_table(part, max_chunksize=300)
        body = sink.getvalue().to_pybytes()
        done = client.raw_insert(
            f"{database}.t", insert_block=iter([body[:3], body[3:]]), fmt="Arrow"
        )
        assert done.written_rows == part.num_rows
    found = client.query(f"SELECT a, b FROM {database}.t ORDER BY a").result_rows
    assert found == [(number, ["x", None, "y", "x"][number % 4]) for number in range(1000)]
    with pytest.raises(DatabaseError):
        client.raw_insert(f"{database}.t", insert_block=b"ARROW1 or not", fmt="Arrow")


def _stream(batch: pa.RecordBatch, times: int) -> Iterator[bytes]:
    """An Arrow stream of the same batch again and again."""
    yield batch.schema.serialize().to_pybytes()
    piece = batch.serialize().to_pybytes()
    for _ in range(times):
        yield piece
    yield b"\xff\xff\xff\xff\0\0\0\0"


class _Peak(threading.Thread):
    """The largest resident size of a process while it runs, in bytes."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process, self._over = psutil.Process(pid), threading.Event()
        self.bytes = self._process.memory_info().rss

    def run(self) -> None:
        while not self._over.wait(0.01):
            self.bytes = max(self.bytes, self._process.memory_info().rss)

    def end(self) -> int:
        self._over.set()
        self.join()
        return self.bytes


def test_streams_are_bounded(front: Front, client: Any, database: str) -> None:
    """Half a gigabyte in, and out: the front's memory does not grow with it, once the engine
    has gathered a block of its own liking (256 MiB)."""
    client.command(
        f"CREATE TABLE {database}.t {ARROW_TABLE.replace('MergeTree ORDER BY n', 'Null')}"
    )
    batch = _arrow(20_000)
    times = (500 << 20) // batch.nbytes
    client.raw_insert(f"{database}.t", insert_block=_stream(batch, times // 2), fmt="ArrowStream")
    peak = _Peak(front.pid)
    before = peak.bytes
    peak.start()
    table = f"{database}.t"
    done = client.raw_insert(table, insert_block=_stream(batch, times), fmt="ArrowStream")
    assert done.written_rows == times * 20_000
    sql = f"SELECT number FROM numbers({(500 << 20) // 8})"
    with client.raw_stream(sql, fmt="RowBinary") as rows:
        assert sum(len(piece) for piece in iter(lambda: rows.read(1 << 20), b"")) == 500 << 20
    assert peak.end() - before < 200 << 20


def test_settings_parameters_and_ids(client: Any) -> None:
    settings = {"max_threads": 1, "log_comment": "it's \\ 'quoted'"}
    sql = "SELECT getSetting('max_threads'), getSetting('log_comment')"
    assert client.query(sql, settings=settings).result_rows == [(1, "it's \\ 'quoted'")]
    bound = {"a": "x'y\\z\n", "b": [1, 2], "c": None, "d": dt.datetime(2026, 1, 1, tzinfo=UTC)}
    sql = "SELECT {a:String}, {b:Array(UInt8)}, {c:Nullable(String)}, {d:DateTime('UTC')}"
    found = client.query(sql, parameters=bound).result_rows[0]
    assert found == ("x'y\\z\n", [1, 2], None, dt.datetime(2026, 1, 1))
    done = client.query("SELECT 1", settings={"query_id": "mine"})
    assert done.query_id == "mine"
    assert client.query("SELECT getSetting('max_threads')").result_rows != [(1,)]
    with pytest.raises((DatabaseError, ProgrammingError)):
        client.query("SELECT 1", settings={"no_such_setting": 1})


def test_summary(client: Any, database: str) -> None:
    client.command(f"CREATE TABLE {database}.t (n UInt64) ENGINE = MergeTree ORDER BY n")
    done = client.command(f"INSERT INTO {database}.t SELECT number FROM numbers(1000)")
    assert done.written_rows == 1000
    read = client.query(f"SELECT n FROM {database}.t WHERE n >= 0 LIMIT 10").summary
    assert (read["read_rows"], read["result_rows"]) == ("1000", "10")


def test_sessions(front: Front) -> None:
    """Temporary tables and SET last for a session; a URL's settings for one request."""
    client = front.client(session_id="one")
    client.command("CREATE TEMPORARY TABLE mine (a UInt8)")
    client.command("INSERT INTO mine VALUES (1), (2)")
    client.command("SET max_block_size = 1234")
    client.command("CREATE DATABASE IF NOT EXISTS session_database")
    sql = "SELECT count(), getSetting('max_block_size'), getSetting('max_threads') FROM mine"
    assert client.query(sql, settings={"max_threads": 1}).result_rows == [(2, 1234, 1)]
    assert client.query(sql).result_rows[0][:2] == (2, 1234)
    assert client.query(sql).result_rows[0][2] != 1
    with pytest.raises(DatabaseError, match="UNKNOWN_TABLE"):
        front.client(session_id="two").query("SELECT * FROM mine")
    with pytest.raises(DatabaseError, match="SESSION_NOT_FOUND"):
        front.client(session_id="three").query("SELECT 1", settings={"session_check": 1})


def test_external_data(client: Any) -> None:
    data = ExternalData(
        file_name="extra.csv", data=b"1,x\n2,y\n", fmt="CSV", structure=["a UInt8", "b String"]
    )
    found = client.query("SELECT sum(a), groupArray(b) FROM extra", external_data=data)
    assert found.result_rows == [(3, ["x", "y"])]


def test_columns_of_nothing(client: Any) -> None:
    found = client.query("SELECT 1 AS a, 'x' AS b LIMIT 0")
    assert (found.column_names, found.result_rows) == (("a", "b"), [])


def test_many_at_once(front: Front, database: str) -> None:
    """Sixteen clients insert and read side by side, each what it should."""
    admin = front.client(database=database)
    admin.command("CREATE TABLE t (w UInt8, n UInt64) ENGINE = MergeTree ORDER BY (w, n)")
    failures: list[BaseException] = []

    def work(worker: int) -> None:
        try:
            client = front.client(database=database)
            for turn in range(5):
                rows = [[worker, turn * 100 + n] for n in range(100)]
                client.insert("t", rows, column_names=["w", "n"])
                sql = "SELECT count(), max(n) FROM t WHERE w = {w:UInt8}"
                found = client.query(sql, parameters={"w": worker}).result_rows
                assert found == [((turn + 1) * 100, turn * 100 + 99)]
            client.close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert admin.command("SELECT count() FROM t") == 16 * 500


@pytest.mark.parametrize("login", [("windlass", "wrong"), ("nobody", ""), ("default", "")])
def test_wrong_password(front: Front, login: tuple[str, str]) -> None:
    with pytest.raises(DatabaseError, match="516") as caught:
        front.client(username=login[0], password=login[1])
    assert "AUTHENTICATION_FAILED" in str(caught.value)


def test_errors_have_their_codes(client: Any, database: str) -> None:
    for sql, code in {
        "SELECT * FROM nowhere": 60,
        "SELEC 1": 62,
        "SELECT no_such()": 46,
        f"INSERT INTO {database}.nowhere VALUES (1)": 60,
        "USE nowhere_at_all": 81,
    }.items():
        with pytest.raises(DatabaseError) as caught:
            client.command(sql)
        assert f"Code: {code}. DB::Exception" in str(caught.value)


def test_an_error_in_mid_stream_is_no_result(client: Any) -> None:
    """Rows that were sent before the error must not look like the whole result."""
    sql = "SELECT throwIf(number = 5000000, 'late') AS a, number FROM numbers(6000000)"
    with (
        pytest.raises(clickhouse_connect.driver.exceptions.Error),
        client.query_rows_stream(sql) as rows,
    ):
        for _ in rows:
            pass
    assert client.command("SELECT 1") == 1


def test_refused_rows_are_reported(client: Any, database: str) -> None:
    """A constraint, and a view behind the table: the insert must not look like a success."""
    client.command(
        f"CREATE TABLE {database}.t (a UInt8, CONSTRAINT small CHECK a < 9)"
        " ENGINE = MergeTree ORDER BY a"
    )
    with pytest.raises(DatabaseError, match="VIOLATED_CONSTRAINT"):
        client.insert(f"{database}.t", [[1], [10]], column_names=["a"])
    client.command(
        f"CREATE MATERIALIZED VIEW {database}.v ENGINE = MergeTree ORDER BY a"
        f" AS SELECT throwIf(a = 7) AS a FROM {database}.t"
    )
    with pytest.raises(DatabaseError, match="THROW_IF"):
        client.insert(f"{database}.t", [[7]], column_names=["a"])
