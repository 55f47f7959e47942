"""HTTP/1.1 requests from a socket: the head, and a body that knows whether it ended properly."""

import io
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

_LINE_LIMIT = 1 << 20
_HEADER_LIMIT = 200
_PIECE = 1 << 20


class BadRequestError(Exception):
    """What arrived is not HTTP that this server speaks: answered with 400, then hung up."""


class BodyCutShortError(Exception):
    """The client went away, or stood still for too long, before its body was complete."""

    def __init__(self, why: str, *, timeout: bool = False) -> None:
        super().__init__(why)
        self.timeout = timeout


@dataclass(frozen=True)
class Request:
    """A request's head. `params` holds the URL's parameters, `headers` lower-case names."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    version: str

    def header(self, name: str) -> str:
        return self.headers.get(name, "")

    @property
    def keep_alive(self) -> bool:
        asked = self.header("connection").lower()
        return asked == "keep-alive" if self.version == "HTTP/1.0" else asked != "close"


def read_request(reader: io.BufferedReader) -> Request | None:
    """The next request on a connection; None when the client has hung up."""
    line = _line(reader)
    while line == b"\r\n":
        line = _line(reader)
    if not line:
        return None
    parts = line.decode("latin-1").split()
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadRequestError("not an HTTP/1 request line")
    split = urlsplit(parts[1])
    pairs = parse_qsl(split.query, keep_blank_values=True, errors="surrogateescape")
    return Request(parts[0], unquote(split.path), dict(pairs), _headers(reader), parts[2])


def _line(reader: io.BufferedReader) -> bytes:
    line = reader.readline(_LINE_LIMIT + 1)
    if len(line) > _LINE_LIMIT:
        raise BadRequestError("a line of the head is too long")
    return line


def _headers(reader: io.BufferedReader) -> dict[str, str]:
    found: dict[str, str] = {}
    for _ in range(_HEADER_LIMIT):
        line = _line(reader)
        if line in (b"\r\n", b"\n"):
            return found
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise BadRequestError("a header line without a colon")
        found[name.strip().lower()] = value.strip()
    raise BadRequestError("too many headers")


class Body:
    """A request's body, read piece by piece.

    Ends with b'' only where the client said that it ends: at its Content-Length, or at the last
    chunk. Anything else raises BodyCutShortError.
    """

    def __init__(self, reader: io.BufferedReader, request: Request, go_on: Callable[[], None]):
        coding = request.header("transfer-encoding").lower()
        length = request.header("content-length")
        if coding not in ("", "identity", "chunked") or (length and not length.isdigit()):
            raise BadRequestError("unknown transfer coding or length")
        self._reader = reader
        self._chunked = coding == "chunked"
        self._left = 0 if self._chunked else int(length or 0)
        self.announced = self._chunked or bool(length)
        self.complete = not self._chunked and self._left == 0
        self._go_on = go_on if request.header("expect").lower() == "100-continue" else None

    def read(self) -> bytes:
        """The next piece, of any size up to 1 MiB; b'' at the proper end."""
        if self.complete:
            return b""
        if self._go_on is not None:
            self._go_on()
            self._go_on = None
        try:
            return self._read()
        except TimeoutError:
            raise BodyCutShortError("no data for too long", timeout=True) from None
        except OSError as error:
            raise BodyCutShortError(str(error)) from None

    def _read(self) -> bytes:
        if self._chunked and self._left == 0:
            self._left = self._chunk_size()
            if self._left == 0:
                self._trailers()
                self.complete = True
                return b""
        data = self._reader.read1(min(self._left, _PIECE))
        if not data:
            raise BodyCutShortError("the client hung up in the middle of its data")
        self._left -= len(data)
        if self._left == 0:
            self._piece_ended()
        return data

    def _piece_ended(self) -> None:
        if not self._chunked:
            self.complete = True
        elif self._reader.readline(3) != b"\r\n":
            raise BodyCutShortError("a chunk without its end")

    def _chunk_size(self) -> int:
        line = self._reader.readline(1024)
        if not line.endswith(b"\n"):
            raise BodyCutShortError("the client hung up before the last chunk")
        try:
            return int(line.split(b";")[0], 16)
        except ValueError:
            raise BodyCutShortError("a chunk without a size") from None

    def _trailers(self) -> None:
        while (line := self._reader.readline(_LINE_LIMIT)) not in (b"\r\n", b"\n"):
            if not line:
                raise BodyCutShortError("the client hung up behind the last chunk")

    def pieces(self) -> Iterator[bytes]:
        while piece := self.read():
            yield piece


def drain(body: Body, sock: socket.socket, seconds: float, limit: int) -> bool:
    """Read what the client still sends, so that it gets round to reading its answer.

    True when the body came to its end, so that the connection can serve another request.
    """
    try:
        sock.settimeout(seconds)
        while limit > 0 and (piece := body.read()):
            limit -= len(piece)
    except (BodyCutShortError, OSError):
        return False
    return body.complete
