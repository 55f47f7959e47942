"""A gate in front of ClickHouse's HTTP port: one statement that writes passes at a time, when told
to. What only reads passes freely, so whatever a client has looked at may be old by then.

A statement that writes but names no staging (DROP PARTITION, a delete by range or by ids) passes
freely too: right before it the client has looked at its fence, and docs/publish.md grants that no
worker falls asleep for long between that look and the statement.
"""

import http.client
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

WRITES = re.compile(rb"\s*(INSERT|ALTER|CREATE|DROP|DELETE|TRUNCATE)\b", re.IGNORECASE)
_HOP = {"transfer-encoding", "connection", "content-length", "keep-alive"}


class Gate:
    """One client's way to the server. `budget` statements may pass; the next one waits."""

    def __init__(self, upstream: str, staging: str) -> None:
        self._staging = staging.encode()
        parts = urlsplit(upstream)
        self.host, self.port = parts.hostname or "", parts.port or 0
        self.changed = threading.Condition()
        self.budget = 0
        self.waiting = 0
        self.dead = False
        self.silent = False
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Handler", (_Handler,), {"gate": self})
        )
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        user = f"{parts.username or 'default'}:{parts.password or ''}"
        self.url = f"http://{user}@127.0.0.1:{self._server.server_address[1]}"

    def allow(self, steps: int) -> None:
        """That many more may pass."""
        with self.changed:
            self.budget += steps
            self.changed.notify_all()

    def cut(self, *, after: bool) -> None:
        """Break every connection for ever; `after`: the next statement still happens, and its
        reply is lost."""
        with self.changed:
            self.silent, self.dead = after and self.waiting > 0, True
            self.budget = 1 if self.silent else 0
            self.changed.notify_all()

    def pass_through(self, sql: bytes) -> bool:
        """Wait for leave; False: the connection breaks. Raises nothing."""
        with self.changed:
            if not WRITES.match(sql) or self._staging not in sql:
                return not self.dead
            self.waiting += 1
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.budget > 0 or self.dead)
            self.waiting -= 1
            if self.budget <= 0:
                return False
            self.budget -= 1
            return True

    @property
    def blocked(self) -> bool:
        """Whether a statement waits for leave."""
        return self.waiting > 0 and self.budget <= 0

    def close(self) -> None:
        """The end."""
        self.cut(after=False)
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """One request; `gate` is set by the server's own subclass."""

    gate: Gate
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._pass()

    def do_POST(self) -> None:
        self._pass()

    def _pass(self) -> None:
        body = self._body()
        query = parse_qs(urlsplit(self.path).query).get("query", [""])[0]
        if not self.gate.pass_through(query.encode() or body):
            self._break()
            return
        status, headers, answer = self._forward(body)
        if self.gate.dead:
            self._break()
            return
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _break(self) -> None:
        self.close_connection = True

    def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        upstream = http.client.HTTPConnection(self.gate.host, self.gate.port, timeout=60)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP}
        upstream.request(self.command, self.path, body, headers)
        response = upstream.getresponse()
        answer = response.read()
        kept = [(k, v) for k, v in response.getheaders() if k.lower() not in _HOP]
        upstream.close()
        return response.status, kept, answer

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        found = b""
        while size := int(self.rfile.readline().strip() or b"0", 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""
