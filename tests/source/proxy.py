"""A TCP proxy that cuts the server's side of a conversation after so many bytes."""

import socket
import struct
import threading
from contextlib import suppress
from types import TracebackType

from psycopg.conninfo import conninfo_to_dict, make_conninfo


class Proxy:
    """Cuts every connection once the server has sent `after` bytes on it (None: never).

    Polite: an orderly end of stream towards the client; otherwise a reset. `cut` is set when it
    happened; `longest` counts the bytes that a server sent on the longest connection.
    """

    def __init__(self, url: str, after: int | None, *, polite: bool = True) -> None:
        self._target = {k: str(v) for k, v in conninfo_to_dict(url).items() if v is not None}
        self._after, self._polite = after, polite
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self.cut = threading.Event()
        self.longest = 0
        port = self._listener.getsockname()[1]
        self.url = make_conninfo(url, host="127.0.0.1", port=port, sslmode="disable")

    def __enter__(self) -> "Proxy":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for one in (self._listener, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = self._connect()
                self._sockets += [client, server]
                threading.Thread(target=self._up, args=(client, server), daemon=True).start()
                threading.Thread(target=self._down, args=(server, client), daemon=True).start()

    def _connect(self) -> socket.socket:
        host, port = self._target.get("host", "127.0.0.1"), self._target.get("port", "5432")
        if host.startswith("/"):
            server = socket.socket(socket.AF_UNIX)
            server.connect(f"{host}/.s.PGSQL.{port}")
            return server
        return socket.create_connection((host, int(port)))

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(1 << 16):
                server.sendall(data)
            server.shutdown(socket.SHUT_RDWR)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        sent = 0
        with suppress(OSError):
            while data := server.recv(1 << 16):
                room = len(data) if self._after is None else max(0, self._after - sent)
                client.sendall(data[:room])
                sent += min(room, len(data))
                self.longest = max(self.longest, sent)
                if room < len(data):
                    self._end(client)
                    return
            client.shutdown(socket.SHUT_WR)

    def _end(self, client: socket.socket) -> None:
        self.cut.set()
        if self._polite:
            client.shutdown(socket.SHUT_WR)
            return
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # The other thread's recv keeps the socket open until it returns.
        client.shutdown(socket.SHUT_RD)
        client.close()
