"""A TCP proxy that cuts the server's answer short: for good, or a given number of times."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self


class Cutter:
    """Listens on loopback, forwards to `port`. A connection whose answer grows beyond `limit`
    bytes is closed there, as long as `cuts` are left; `made` counts them."""

    def __init__(self, port: int, limit: int, cuts: int) -> None:
        self._port, self._limit, self._left = port, limit, cuts
        self.made = 0
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed: the test is over
            server = socket.create_connection(("127.0.0.1", self._port))
            for source, sink, counted in ((client, server, False), (server, client, True)):
                worker = threading.Thread(target=self._pump, args=(source, sink, counted))
                worker.daemon = True
                worker.start()

    def _pump(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        passed = 0
        try:
            while data := source.recv(16_384):
                passed += len(data)
                if counted and passed > self._limit and self._cut():
                    break
                sink.sendall(data)
        except OSError:
            return  # the other direction closed both
        finally:
            for end in (source, sink):
                _hang_up(end)

    def _cut(self) -> bool:
        with self._lock:
            if not self._left:
                return False
            self._left -= 1
            self.made += 1
            return True


def _hang_up(end: socket.socket) -> None:
    # A close alone sends nothing while the other thread still waits for bytes on that socket.
    with suppress(OSError):  # hung up already
        end.shutdown(socket.SHUT_RDWR)
    end.close()
