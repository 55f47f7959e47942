"""What an operator does with curl, and what a SQL tool does."""

import http.client
import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import lz4.frame
import pytest

from tests.localstack.conftest import PASSWORD, USER, Front
from windlass.localstack.front.blocks import BlockEncoder, decode_blocks
from windlass.localstack.front.cityhash import cityhash128

BASIC = {"Authorization": "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode()}


class Http:
    """One connection, kept alive."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(
        self,
        query: str | None = None,
        body: Any = None,
        *,
        method: str = "POST",
        path: str = "/",
        headers: dict[str, str] | None = None,
        **params: str,
    ) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers (lower case)."""
        named = {"query": query} if query is not None else {}
        url = f"{path}?{urlencode({**named, **params})}"
        self._connection.request(method, url, body, BASIC if headers is None else headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()}

    def text(self, query: str | None = None, body: Any = None, **more: Any) -> str:
        status, answer, _ = self.ask(query, body, **more)
        assert status == 200, answer
        return answer.decode()

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def web(front: Front) -> Iterator[Http]:
    made = Http(front.port)
    yield made
    made.close()


def test_health_needs_no_password(web: Http) -> None:
    for path in ("/ping", "/", "/replicas_status"):
        assert web.ask(method="GET", path=path, headers={})[:2] == (200, b"Ok.\n")
    assert web.ask(method="GET", path="/play", headers={})[0] == 404
    status, body, headers = web.ask(method="HEAD", path="/ping", headers={})
    assert (status, body, headers["content-length"]) == (200, b"", "4")


def test_query_in_url_or_body(web: Http) -> None:
    assert web.text("SELECT 1", method="GET") == "1\n"
    assert web.text(body="SELECT 2") == "2\n"
    assert web.text("SELECT", "3") == "3\n"
    assert web.text(body=iter([b"SELECT '", b"4'", b"--"])) == "4\n"


@pytest.mark.parametrize(
    ("login", "status"),
    [
        (BASIC, 200),
        ({"X-ClickHouse-User": USER, "X-ClickHouse-Key": PASSWORD}, 200),
        ({"X-ClickHouse-User": USER, "X-ClickHouse-Key": "no"}, 403),
        ({"Authorization": "Basic %%%"}, 403),
        ({"Authorization": "Bearer x"}, 403),
        ({}, 403),
    ],
)
def test_logins(web: Http, login: dict[str, str], status: int) -> None:
    found, body, headers = web.ask("SELECT 1", method="GET", headers=login)
    assert found == status
    if status == 403:
        assert headers["x-clickhouse-exception-code"] == "516"
        assert b"(AUTHENTICATION_FAILED)" in body
    assert web.text("SELECT 1", method="GET", headers={}, user=USER, password=PASSWORD) == "1\n"


@pytest.mark.parametrize(
    ("sql", "status", "code", "name"),
    [
        ("SELECT * FROM nowhere", 404, 60, "UNKNOWN_TABLE"),
        ("SELECT nothing", 404, 47, "UNKNOWN_IDENTIFIER"),
        ("SELEC 1", 400, 62, "SYNTAX_ERROR"),
        ("SELECT 1; SELECT 2", 400, 62, "SYNTAX_ERROR"),
        ("", 400, 62, "SYNTAX_ERROR"),
        ("SELECT toUInt8('x')", 400, 6, "CANNOT_PARSE_TEXT"),
        ("SELECT throwIf(1)", 500, 395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"),
        ("SELECT 1 FORMAT Nonsense", 404, 73, "UNKNOWN_FORMAT"),
        ("SELECT sleep(3) SETTINGS max_execution_time = 1", 408, 159, "TIMEOUT_EXCEEDED"),
    ],
)
def test_errors(web: Http, sql: str, status: int, code: int, name: str) -> None:
    found, body, headers = web.ask(body=sql)
    assert (found, headers["x-clickhouse-exception-code"]) == (status, str(code))
    assert body.decode().startswith(f"Code: {code}. DB::Exception: ")
    assert f"({name}) (version " in body.decode()
    assert web.text("SELECT 1") == "1\n", "the connection serves on"


def test_get_only_reads(web: Http) -> None:
    status, body, _ = web.ask("CREATE TABLE t (a UInt8) ENGINE = Memory", method="GET")
    assert (status, b"(READONLY)" in body) == (500, True)
    assert web.ask("SET max_threads = 1", method="GET")[0] == 200


def test_post_wants_a_length(front: Front) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=10)
    connection.putrequest("POST", "/?query=SELECT+1")
    connection.putheader("Authorization", BASIC["Authorization"])
    connection.endheaders()
    assert connection.getresponse().status == 411
    connection.close()


def test_inserts(web: Http, database: str) -> None:
    """Head and data in one body, in URL and body, behind settings; every way to end a line."""
    table = f"{database}.t"
    web.text(
        body=f"CREATE TABLE {table} (a UInt8, b String DEFAULT 'd') ENGINE = MergeTree ORDER BY a"
    )
    web.text(body=f"INSERT INTO {table} FORMAT CSV\n1,x\n2,y\n")
    web.text(f"INSERT INTO {table} FORMAT CSV", b"3,z\n")
    web.text(f"INSERT INTO {table} (a) SETTINGS max_threads = 1 FORMAT TSV", b"4\n")
    web.text(body=f"INSERT INTO {table} VALUES (5, DEFAULT), (6, concat('a', 'b'));")
    web.text(f"INSERT INTO {table} VALUES", b"(7, 'q')")
    web.text(f"INSERT INTO {table} (a) SELECT x FROM input('x UInt8') FORMAT CSV", b"8\n9\n")
    web.text(f"INSERT INTO {table} FORMAT JSONEachRow", iter([b'{"a": 10,', b' "b": "j"}']))
    web.text("INSERT INTO {t:Identifier} (a) FORMAT CSV", b"11\n", param_t="t", database=database)
    found = web.text(f"SELECT groupArray(b) FROM (SELECT b FROM {table} ORDER BY a)")
    assert found == "['x','y','z','d','d','ab','q','d','d','j','d']\n"
    assert web.ask(f"INSERT INTO {table} FORMAT CSV", b"zz,1\n")[0] == 400


def test_an_insert_is_told_in_the_summary(web: Http, database: str) -> None:
    web.text(body=f"CREATE TABLE {database}.t (a UInt8) ENGINE = MergeTree ORDER BY a")
    headers = web.ask(f"INSERT INTO {database}.t FORMAT CSV", b"1\n2\n", query_id="one")[2]
    assert json.loads(headers["x-clickhouse-summary"])["written_rows"] == "2"
    assert headers["x-clickhouse-query-id"] == "one"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("JSON", "application/json; charset=UTF-8"),
        ("JSONEachRow", "application/json; charset=UTF-8"),
        ("CSVWithNames", "text/csv; charset=UTF-8"),
        ("Parquet", "application/octet-stream"),
        ("PrettyCompact", "text/plain; charset=UTF-8"),
    ],
)
def test_formats(web: Http, name: str, kind: str) -> None:
    for default, tail in ((name, ""), ("TSV", f" FORMAT {name}")):
        status, body, headers = web.ask(f"SELECT 1 AS a{tail}", default_format=default)
        assert (status, headers["x-clickhouse-format"]) == (200, name)
        assert headers["content-type"] == kind
        assert body
    assert headers["x-clickhouse-timezone"] == "UTC"


def test_database_and_settings(web: Http, database: str) -> None:
    assert web.text("SELECT currentDatabase()", database=database) == f"{database}\n"
    assert web.text("SELECT getSetting('max_threads')", max_threads="1") == "1\n"
    assert web.ask("SELECT 1", no_such_setting="1")[0] == 404
    assert web.ask("SELECT 1", database="nowhere")[0] == 404
    assert web.ask("CREATE TABLE t (a UInt8) ENGINE = Memory", readonly="1")[0] == 500


_SETTING = (
    "SELECT getSetting('max_threads'), getSetting('max_block_size'), getSetting('log_comment')"
)


def test_settings_end_with_their_request(web: Http) -> None:
    """Engine connections are used again where the same settings are asked for."""
    default = web.text(_SETTING)
    one: dict[str, Any] = {"max_threads": "1", "max_block_size": "1000"}
    for label in ("a", "b"):
        assert web.text(_SETTING, log_comment=label, **one) == f"1\t1000\t{label}\n"
    assert web.text(_SETTING, **one) == "1\t1000\t\n", "no label is left behind"
    assert web.text(_SETTING, max_threads="1").startswith("1\t6")
    assert web.ask("SELECT 1", no_such_setting="1", **one)[0] == 404
    assert web.text(_SETTING, **one) == "1\t1000\t\n"
    assert web.text(_SETTING) == default


def test_statements_leave_nothing_to_the_next_request(web: Http, database: str) -> None:
    default = web.text(_SETTING)
    for statement in ("SET max_threads = 1", f"USE {database}"):
        assert web.ask(statement)[0] == 200
        assert web.text("SELECT currentDatabase()") == "default\n"
        assert web.text(_SETTING) == default
    web.text("CREATE TEMPORARY TABLE mine (a UInt8)")
    assert web.ask("SELECT * FROM mine")[0] == 404
    web.text("CREATE TABLE theirs (a UInt8) ENGINE = Memory", database=database)
    assert web.text("SELECT count() FROM theirs", database=database) == "0\n"
    assert web.text("SELECT currentDatabase()") == "default\n"


def test_codings(web: Http) -> None:
    big = "SELECT number FROM numbers(300000)"
    plain = web.ask(big)[1]
    wish = {**BASIC, "Accept-Encoding": "br, lz4, gzip"}
    status, body, headers = web.ask(big, headers=wish, enable_http_compression="1")
    assert (status, headers["content-encoding"]) == (200, "lz4")
    assert lz4.frame.decompress(body) == plain
    assert "content-encoding" not in web.ask(big, headers=wish)[2]
    assert b"".join(decode_blocks([web.ask(big, compress="1")[1]])) == plain


def test_clickhouse_blocks_come_in(web: Http) -> None:
    coder = BlockEncoder()
    body = (
        coder.compress(b"SELECT 'from ")
        + coder.flush()
        + coder.compress(b"blocks'")
        + coder.flush()
    )
    assert web.text(body=body, decompress="1") == "from blocks\n"


def test_the_checksum_is_clickhouses(front: Front, web: Http, database: str) -> None:
    """MergeTree's own files are made of the same blocks."""
    web.text(body=f"CREATE TABLE {database}.t (a String) ENGINE = MergeTree ORDER BY a")
    web.text(f"INSERT INTO {database}.t SELECT repeat('x', number) FROM numbers(300)", b"")
    path = web.text(f"SELECT path FROM system.parts WHERE database = '{database}' AND active")
    with open(f"{path.strip()}/data.bin", "rb") as file:
        data = file.read()
    size = int.from_bytes(data[17:21], "little")
    assert data[:16] == cityhash128(data[16 : 16 + size])
    assert b"".join(decode_blocks([data]))


def test_a_large_answer_is_chunked_and_whole(web: Http) -> None:
    status, body, headers = web.ask("SELECT number FROM numbers(1000000) FORMAT RowBinary")
    assert (status, headers["transfer-encoding"], len(body)) == (200, "chunked", 8_000_000)
    waited = web.ask("SELECT number FROM numbers(1000000) FORMAT RowBinary", wait_end_of_query="1")
    assert json.loads(waited[2]["x-clickhouse-summary"])["result_rows"] == "1000000"
    assert waited[1] == body


def test_progress_keeps_a_waiting_client_warm(web: Http) -> None:
    status, body, headers = web.ask(
        "SELECT sleep(0.4)",
        send_progress_in_http_headers="1",
        http_headers_progress_interval_ms="50",
    )
    assert (status, body) == (200, b"0\n")
    assert "elapsed_ns" in headers["x-clickhouse-progress"]


def test_a_long_statement(web: Http) -> None:
    """Longer than a piece of a body, and than what is looked through for an INSERT's head."""
    keys = ",".join(str(number) for number in range(100_000, 250_000))
    sql = f"SELECT count() FROM numbers(10) WHERE number IN ({keys})"
    assert web.text(body=sql, max_query_size="10000000") == "0\n"
    assert web.text(body=f"WITH {len(keys)} AS x {sql}", max_query_size="10000000") == "0\n"


def test_the_log_keeps_the_comment(web: Http) -> None:
    web.text("SELECT 'look for me'", log_comment="campaign/1")
    web.text(body="SYSTEM FLUSH LOGS")
    sql = "SELECT count() > 0 FROM system.query_log WHERE log_comment = 'campaign/1'"
    assert web.text(sql) == "1\n"
