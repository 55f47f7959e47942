"""A TCP relay to a server on this machine: slows down what a statement fetches, or cuts all."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

HOST = "127.0.0.1"
_PIECE = 1 << 16
_LONGEST = 1 << 15
"""Bytes of what a client said last that are searched for a rule's words."""


@dataclass
class Slow:
    """A statement in which all of `words` stand gets `free` bytes of its answer at full speed,
    and `rate` bytes a second from then on. `slowed` are the bytes that came slowly, `hits` how
    many statements had any; `on` may be switched off."""

    words: tuple[bytes, ...]
    rate: float
    free: int = 0
    on: bool = True
    hits: int = 0
    slowed: int = 0
    first: datetime | None = None

    def holds(self, said: bytes) -> bool:
        """Whether it is about that statement."""
        return all(word in said for word in self.words)


@dataclass
class _Way:
    """One connection: what its client said last, and how the answer to that is slowed."""

    said: bytes = b""
    rule: Slow | None = None
    passed: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def hear(self, data: bytes, rules: tuple[Slow, ...]) -> None:
        """Another piece from the client."""
        with self.lock:
            self.said = (self.said + data)[-_LONGEST:]
            found = next((one for one in rules if one.holds(self.said)), None)
            if found is not None:
                self.rule, self.passed, self.said = found, 0, b""

    def pause(self, size: int) -> float:
        """Seconds to wait before so many bytes of the answer go on."""
        with self.lock:
            rule = self.rule
            if rule is None or not rule.on:
                return 0.0
            self.passed += size
            if self.passed <= rule.free:
                return 0.0
            rule.hits += self.passed - size <= rule.free
            rule.slowed += size
            rule.first = rule.first or datetime.now(UTC)
            return size / rule.rate


class Relay:
    """Listens on the loopback and relays to `port` there, until closed."""

    def __init__(self, port: int) -> None:
        self.rules: tuple[Slow, ...] = ()
        self._upstream = port
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._closed = threading.Event()
        self._listener = socket.create_server((HOST, 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def connections(self) -> int:
        """How many clients' there are."""
        with self._lock:
            return len(self._open) // 2

    def cut(self) -> int:
        """Reset all connections there are; new ones are served. Returns how many clients' there
        were."""
        with self._lock:
            ends = list(self._open)
        for end in ends:
            reset(end)
        return len(ends) // 2

    def close(self) -> None:
        """Stop listening, and end every connection."""
        self._closed.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server: socket.socket | None = None
        try:
            server = self._connect(client)
            way = _Way()
            down = threading.Thread(target=self._down, args=(server, client, way), daemon=True)
            down.start()
            self._up(client, server, way)
        except OSError:
            pass  # one of both ends has gone: so does the other
        finally:
            self._forget(client, server)

    def _connect(self, client: socket.socket) -> socket.socket:
        server = socket.socket()
        # Small, so that the server waits with the client: else it would be done, and seem idle,
        # while megabytes of its answer still lie here.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _PIECE)
        with _closed_on_failure(server):
            server.connect((HOST, self._upstream))
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open |= {client, server}
        return server

    def _forget(self, *ends: socket.socket | None) -> None:
        for end in ends:
            if end is not None:
                with self._lock:
                    self._open.discard(end)
                hang_up(end)

    def _up(self, client: socket.socket, server: socket.socket, way: _Way) -> None:
        while data := client.recv(_PIECE):
            if self.rules:
                way.hear(data, self.rules)
            server.sendall(data)

    def _down(self, server: socket.socket, client: socket.socket, way: _Way) -> None:
        with suppress(OSError):
            while data := server.recv(_PIECE):
                self._slowly(data, client, way)
        hang_up(client)

    def _slowly(self, data: bytes, client: socket.socket, way: _Way) -> None:
        """Hand on; where it is slowed, in steps that take a tenth of a second each."""
        while data:
            rule = way.rule
            step = len(data) if rule is None else min(len(data), max(1, int(rule.rate / 10)))
            if rule is not None and way.passed + len(data) <= rule.free:
                step = len(data)
            _wait(way.pause(step), self._closed, lambda: _gone(client))
            client.sendall(data[:step])
            data = data[step:]


@contextmanager
def _closed_on_failure(end: socket.socket) -> Iterator[None]:
    """Close it where the block fails."""
    try:
        yield
    except OSError:
        end.close()
        raise


def _wait(seconds: float, closed: threading.Event, gone: Callable[[], bool]) -> None:
    """Wait; OSError when the relay is closed or the client has gone meanwhile."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if closed.wait(min(left, 0.5)) or gone():
            raise ConnectionAbortedError


def _gone(end: socket.socket) -> bool:
    return end.fileno() < 0


def reset(end: socket.socket) -> None:
    """End it as a lost network would: at once, without a word."""
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RD)
    with suppress(OSError):
        end.close()


def hang_up(end: socket.socket) -> None:
    """An orderly end; a close alone sends nothing while a thread still reads there."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        end.close()
