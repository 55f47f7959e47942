"""HTTP messages, read from a socket piece by piece so that they can be passed on as they come."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass

_LARGE = 1 << 20


class HungUpError(OSError):
    """The other end closed in the middle of a message, or before one."""


class Reader:
    """Buffered reading from one socket."""

    def __init__(self, end: socket.socket) -> None:
        self.end, self._held = end, b""

    def until(self, mark: bytes) -> bytes:
        """Everything up to the mark, and the mark."""
        while mark not in self._held:
            self._more()
        found, _, self._held = self._held.partition(mark)
        return found + mark

    def exactly(self, size: int) -> Iterator[bytes]:
        """That many bytes, in pieces."""
        while size:
            if not self._held:
                self._more()
            piece, self._held = self._held[:size], self._held[size:]
            size -= len(piece)
            yield piece

    @property
    def empty(self) -> bool:
        """Whether nothing has been read ahead."""
        return not self._held

    def _more(self) -> None:
        data = self.end.recv(1 << 16)
        if not data:
            raise HungUpError("hung up")
        self._held += data


@dataclass(frozen=True)
class Head:
    """The first line and the headers, as they came, and how long the body is."""

    raw: bytes
    line: str
    headers: dict[str, str]

    @property
    def chunked(self) -> bool:
        return "chunked" in self.headers.get("transfer-encoding", "").lower()

    @property
    def length(self) -> int:
        return int(self.headers.get("content-length", "0"))


def read_head(reader: Reader) -> Head:
    """The head of the next message. HungUpError: there is none."""
    raw = reader.until(b"\r\n\r\n")
    first, *rest = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
    pairs = (line.partition(":") for line in rest)
    return Head(raw, first, {name.strip().lower(): value.strip() for name, _, value in pairs})


def body(reader: Reader, head: Head) -> Iterator[bytes]:
    """The body as it stands on the wire, chunk sizes and all."""
    if not head.chunked:
        yield from reader.exactly(head.length)
        return
    while True:
        line = reader.until(b"\r\n")
        size = int(line.split(b";")[0], 16)
        yield line
        yield from reader.exactly(size)
        yield reader.until(b"\r\n")
        if not size:
            return


def small(head: Head) -> bool:
    """Whether the body is short enough to be read whole before it is passed on."""
    return not head.chunked and head.length <= _LARGE


def failure(code: int, name: str, text: str) -> bytes:
    """An answer as ClickHouse gives it for an error."""
    said = f"Code: {code}. DB::Exception: {text}. ({name})\n".encode()
    head = (
        "HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n"
        f"X-ClickHouse-Exception-Code: {code}\r\nContent-Type: text/plain; charset=UTF-8\r\n"
        f"Content-Length: {len(said)}\r\n\r\n"
    )
    return head.encode() + said
