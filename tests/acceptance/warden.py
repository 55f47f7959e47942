"""ClickHouse behind a user who may only look: the local engine knows one user, so the answer that
a server gives to a missing grant is put in here, on the way."""

import threading
from email.message import Message
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

DENIED = (
    b"Code: 497. DB::Exception: looker: Not enough privileges. To execute this query, it's "
    b"necessary to have the grant CREATE TABLE, INSERT ON staging.*. (ACCESS_DENIED)"
)
LOOKS = {b"SELECT", b"WITH", b"SHOW", b"DESCRIBE", b"EXISTS", b"KILL", b"("}
HOP = {"transfer-encoding", "connection", "content-length", "keep-alive"}


class Warden:
    """Listens on loopback, forwards to `port` what only looks, and refuses the rest."""

    def __init__(self, port: int) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.behind = port
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    behind: int


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self._ask(b"")

    def do_POST(self) -> None:
        self._ask(self._body())

    def _ask(self, body: bytes) -> None:
        query = parse_qs(urlsplit(self.path).query).get("query", [""])[0].encode()
        words = (query + body).split(None, 1)
        if words and words[0].upper() not in LOOKS:
            self._answer(403, {"X-ClickHouse-Exception-Code": "497"}, DENIED)
            return
        behind = HTTPConnection("127.0.0.1", self.server.behind, timeout=60)
        behind.request(self.command, self.path, body, _through(self.headers))
        got = behind.getresponse()
        self._answer(got.status, _through(got.headers), got.read())
        behind.close()

    def _body(self) -> bytes:
        if "content-length" in self.headers:
            return self.rfile.read(int(self.headers["content-length"]))
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def _through(headers: Message) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in HOP}
