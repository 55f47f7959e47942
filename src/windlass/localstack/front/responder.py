"""One HTTP response: held back until its first mebibyte, then streamed in chunks.

While it is held back an error can still get its proper status. Afterwards the error goes into the
body, marked as ClickHouse marks it, and the last chunk is left out: a client cannot take a broken
result for a whole one.
"""

import contextlib
import json
import secrets
import socket
import string
import tempfile
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import IO

from windlass.localstack.front.compress import Encoder, encoder
from windlass.localstack.front.engine import Outcome
from windlass.localstack.front.errors import FrontError

HOLD_BACK = 1 << 20
_SPOOL = 16 << 20


class Responder:
    """Writes one response. `encoding` is '' or a name from compress.ENCODINGS."""

    def __init__(self, sock: socket.socket, version: str, *, chunked: bool, bodyless: bool) -> None:
        self._sock, self._engine_version = sock, version
        self._chunked, self._bodyless = chunked, bodyless
        self.headers: dict[str, str] = {}
        self.encoding = ""
        self.coder: Encoder | None = None
        self.hold: int | None = HOLD_BACK
        self.close_after = not chunked
        self.started = False
        self._head_open = False
        # Closed with the responder; small answers never touch the disk.
        self._sending_since: float | None = None
        self._held: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_SPOOL)  # noqa: SIM115
        self._tag = "".join(string.ascii_lowercase[n % 26] for n in secrets.token_bytes(16))

    def write(self, data: bytes) -> None:
        """Send a piece of the body, or hold it back. `hold` None: until the end."""
        if self.started:
            self._send(self._encode(data))
            return
        self._held.write(data)
        if self.hold is not None and self._held.tell() >= self.hold:
            self._start()

    def _encode(self, data: bytes) -> bytes:
        if self.coder is None and self.encoding:
            self.coder = encoder(self.encoding)
        return data if self.coder is None else self.coder.compress(data)

    def _start(self) -> None:
        """Send the head, and what was held back."""
        self.started = True
        self.headers["X-ClickHouse-Exception-Tag"] = self._tag
        self._head(HTTPStatus.OK, {"Transfer-Encoding": "chunked"} if self._chunked else {})
        self._release()

    def _release(self) -> None:
        self._held.seek(0)
        while piece := self._held.read(HOLD_BACK):
            self._send(self._encode(piece))

    def finish(self, outcome: Outcome, elapsed_ns: int) -> None:
        """End the response well. What was held back gets a summary that is complete."""
        if not self.started:
            self.headers["X-ClickHouse-Summary"] = summary(outcome, elapsed_ns)
            if self._held.tell() <= HOLD_BACK and not self._head_open:
                self._send_whole()
                return
            self._start()
        if self.coder is not None:
            self._send(self.coder.flush())
        if self._chunked and not self._bodyless:
            self._sock.sendall(b"0\r\n\r\n")

    def _send_whole(self) -> None:
        self._held.seek(0)
        body = self._held.read()
        if body and self.encoding:
            coded = self._encode(body)
            body = coded + (self.coder.flush() if self.coder else b"")
        elif not body:
            self.encoding = ""
        self._head(HTTPStatus.OK, {"Content-Length": str(len(body))})
        if not self._bodyless:
            self._sock.sendall(body)

    def fail(self, error: FrontError) -> None:
        """End the response with an error, in the status if that is still to be sent."""
        text = error.text(self._engine_version).encode(errors="replace")
        if self.started:
            self._fail_in_body(text)
            return
        self.encoding, self.started = "", True
        self.headers["X-ClickHouse-Exception-Code"] = str(error.code)
        self.headers["Content-Type"] = "text/plain; charset=UTF-8"
        self.headers.pop("X-ClickHouse-Format", None)
        if error.status == HTTPStatus.UNAUTHORIZED:
            self.headers["WWW-Authenticate"] = 'Basic realm="ClickHouse server HTTP API"'
        self._head(HTTPStatus(error.status), {"Content-Length": str(len(text))})
        if not self._bodyless:
            self._sock.sendall(text)

    def _fail_in_body(self, text: bytes) -> None:
        tag = self._tag.encode()
        marker = b"\r\n__exception__\r\n"
        size = str(len(text)).encode()
        block = marker + tag + b"\r\n" + text + size + b" " + tag + marker
        self.close_after = True
        self._send(self._encode(block))
        if self.coder is not None:
            self._send(self.coder.flush())

    def progress(self, elapsed_ns: int) -> None:
        """Keep a waiting client's connection warm with a progress header."""
        if self.started:
            return
        if not self._head_open:
            self._head_open = True
            self._sock.sendall(self._status_line(HTTPStatus.OK))
        line = f"X-ClickHouse-Progress: {summary(Outcome(), elapsed_ns)}\r\n"
        self._sock.sendall(line.encode())

    def _status_line(self, status: HTTPStatus) -> bytes:
        return f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode()

    def _head(self, status: HTTPStatus, extra: Mapping[str, str]) -> None:
        lines = {**self.headers, **extra}
        lines["Connection"] = "close" if self.close_after else "keep-alive"
        if self.encoding:
            lines["Content-Encoding"] = self.encoding
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        first = b"" if self._head_open else self._status_line(status)
        self._sock.sendall(first + head.encode("latin-1", errors="replace") + b"\r\n")

    def _send(self, data: bytes) -> None:
        if not data or self._bodyless:
            return
        self._sending_since = time.monotonic()
        if self._chunked:
            self._sock.sendall(b"%x\r\n" % len(data))
            self._sock.sendall(data)
            self._sock.sendall(b"\r\n")
        else:
            self._sock.sendall(data)
        self._sending_since = None

    def give_up(self, seconds: float) -> None:
        """Hang up on a client that has not taken a piece for `seconds`. For other threads: the
        one that sends then gets an error. One that waits for the engine is left alone."""
        since = self._sending_since
        if since is not None and time.monotonic() - since > seconds:
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)


def summary(outcome: Outcome, elapsed_ns: int) -> str:
    """X-ClickHouse-Summary: every number as a string, as the server writes them."""
    values = {
        "read_rows": outcome.read_rows,
        "read_bytes": outcome.read_bytes,
        "written_rows": outcome.written_rows,
        "written_bytes": outcome.written_bytes,
        "total_rows_to_read": outcome.read_rows,
        "result_rows": outcome.result_rows or outcome.written_rows,
        "result_bytes": outcome.result_bytes or outcome.written_bytes,
        "elapsed_ns": elapsed_ns,
    }
    return json.dumps({name: str(value) for name, value in values.items()}, separators=(",", ":"))
