"""One request with its answer, and reading the statement out of it."""

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from windlass.localstack.front import sqltext
from windlass.localstack.front.blocks import decode_blocks
from windlass.localstack.front.compress import decoded
from windlass.localstack.front.errors import FrontError
from windlass.localstack.front.responder import Responder
from windlass.localstack.front.wire import Body, Request

_HEAD_LIMIT = 1 << 20  # an INSERT's FORMAT or VALUES must come within its first mebibyte
_TEXT_LIMIT = 256 << 20


@dataclass
class Exchange:
    """One request, its response, and the parameters from URL and form."""

    request: Request
    body: Body
    responder: Responder
    sock: socket.socket
    started: float = field(default_factory=time.monotonic)
    params: dict[str, str] = field(default_factory=dict)

    @property
    def elapsed_ns(self) -> int:
        return int((time.monotonic() - self.started) * 1e9)

    @property
    def bind(self) -> dict[str, str]:
        """Server-side parameters: `param_x` gives `x`."""
        return {k[6:]: v for k, v in self.params.items() if k.startswith("param_")}

    @property
    def query_id(self) -> str:
        return self.params.get("query_id", "")

    @property
    def is_form(self) -> bool:
        kind = self.request.header("content-type").lower()
        return kind.startswith("multipart/form-data")

    @property
    def default_format(self) -> str:
        asked = self.request.header("x-clickhouse-format")
        return self.params.get("default_format") or asked or "TabSeparated"

    def seconds(self, name: str, default: float, unit: float = 1.0) -> float:
        """A numeric parameter in `unit` seconds."""
        text = self.params.get(name, "")
        return float(text) * unit if text.replace(".", "", 1).isdigit() else default

    def pieces(self) -> Iterator[bytes]:
        """The body, decoded, in pieces that are never empty."""
        coded = decoded(self.body.pieces(), self.request.header("content-encoding").lower())
        plain = decode_blocks(coded) if self.params.get("decompress") == "1" else coded
        return filter(None, plain)


def read_sql(exchange: Exchange) -> tuple[bytes, Iterator[bytes]]:
    """The statement's text: the URL's `query`, then the body. What an INSERT loads stays behind,
    in the iterator, except what came together with its head."""
    text = exchange.params.get("query", "").encode(errors="surrogateescape")
    rest: Iterator[bytes] = iter(()) if exchange.is_form else exchange.pieces()
    if exchange.is_form or exchange.body.complete:
        return text, rest
    text += b"\n" if text else b""
    while len(text) < _HEAD_LIMIT and _could_be_insert(text):
        if text and _data_has_begun(text):
            return text, rest
        if not (piece := next(rest, b"")):
            return text, rest
        text += piece
    return collect(rest, text), iter(())


def _could_be_insert(text: bytes) -> bool:
    first = next(sqltext.tokens(text), None)
    return first is None or any(word.startswith(first.upper) for word in (b"INSERT", b"WITH"))


def _data_has_begun(text: bytes) -> bool:
    """Whether the head is whole: a byte of data is there, or the line break in front of it."""
    if b"INSERT" not in text.upper():
        return False
    try:
        statement = sqltext.parse(text)
    except FrontError:
        return False
    if statement.kind != "insert":
        return False
    return statement.data_at < len(text) or text.endswith(b"\n")


def collect(pieces: Iterator[bytes], text: bytes) -> bytes:
    """All of a body, for statements that cannot be streamed."""
    parts, size = [text], len(text)
    for piece in pieces:
        parts.append(piece)
        size += len(piece)
        if size > _TEXT_LIMIT:
            message = f"The statement is larger than {_TEXT_LIMIT >> 20} MiB."
            raise FrontError(307, "TOO_MANY_BYTES", message)
    return b"".join(parts)
