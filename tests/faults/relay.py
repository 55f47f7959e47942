"""A TCP relay that can be held, cut, delayed, or told to act when certain bytes pass."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from windlass.localstack.relay import hang_up, reset

PIECE = 1 << 16


class Gate:
    """Open, or shut for a while: everything that passes waits. Black holes and delays."""

    def __init__(self) -> None:
        self._until = 0.0

    def shut(self, seconds: float) -> None:
        """From now on nothing passes for so long."""
        self._until = time.monotonic() + seconds

    def open(self) -> None:
        """Whatever waits goes on."""
        self._until = 0.0

    def wait(self) -> None:
        """Return once it is open."""
        while time.monotonic() < self._until:
            time.sleep(0.02)


@dataclass
class ByteRule:
    """Acts once, when the client has sent `pattern` for the `nth` time over all connections.
    `before`: ahead of the bytes going on; else after the server's next answer has come, which
    then is not handed on when `lose` is set. `swallow`: the bytes never go on."""

    pattern: bytes
    act: Callable[[], None]
    nth: int = 1
    before: bool = True
    lose: bool = False
    swallow: bool = False
    seen: int = 0
    fired: threading.Event = field(default_factory=threading.Event)


class Relay:
    """Listens on loopback and relays to `port`, which may move to another server's."""

    def __init__(self, port: int) -> None:
        self.upstream = port
        self.gate = Gate()
        self.delay = 0.0
        self.bytes_rule: ByteRule | None = None
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening, and end every connection."""
        self.gate.open()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Reset all connections there are; new ones are served."""
        with self._lock:
            ends = list(self._open)
        for end in ends:
            reset(end)

    def calm(self) -> None:
        """As new: nothing is delayed, held or waited for."""
        self.gate.open()
        self.delay, self.bytes_rule = 0.0, None

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connection, args=(client,), daemon=True).start()

    def _connection(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open.add(client)
        try:
            self.serve(client)
        except OSError:
            pass  # one of both ends has gone: so does the other
        finally:
            self.forget(client)

    def connect(self) -> socket.socket:
        """A connection to the server."""
        self.gate.wait()
        server = socket.create_connection(("127.0.0.1", self.upstream), timeout=10)
        server.settimeout(None)
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open.add(server)
        return server

    def forget(self, end: socket.socket) -> None:
        """Close for good."""
        with self._lock:
            self._open.discard(end)
        hang_up(end)

    def serve(self, client: socket.socket) -> None:
        """One client's connection, from beginning to end."""
        server = self.connect()
        lost = threading.Event()
        down = threading.Thread(target=self._down, args=(server, client, lost), daemon=True)
        down.start()
        try:
            self._up(client, server, lost)
        finally:
            self.forget(server)
            down.join(5)

    def _up(self, client: socket.socket, server: socket.socket, lost: threading.Event) -> None:
        while data := client.recv(PIECE):
            self.gate.wait()
            rule = self._struck(data)
            if rule is not None and rule.before:
                rule.act()
            if self.delay:
                time.sleep(self.delay)
            if rule is not None and rule.swallow:
                return
            if rule is not None and rule.lose:
                lost.set()
            server.sendall(data)
            if rule is not None and not rule.before:
                time.sleep(0.05)
                rule.act()

    def _down(self, server: socket.socket, client: socket.socket, lost: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(PIECE):
                self.gate.wait()
                if lost.is_set():
                    break
                client.sendall(data)
        hang_up(client)

    def _struck(self, data: bytes) -> ByteRule | None:
        rule = self.bytes_rule
        if rule is None or rule.fired.is_set() or rule.pattern not in data:
            return None
        with self._lock:
            rule.seen += 1
            if rule.seen < rule.nth or rule.fired.is_set():
                return None
            rule.fired.set()
        return rule
