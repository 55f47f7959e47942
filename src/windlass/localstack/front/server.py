"""The listening socket: a thread for each connection, and an orderly end."""

import contextlib
import io
import socket
import threading

from windlass.localstack.front.engine import Engine
from windlass.localstack.front.exchange import Exchange
from windlass.localstack.front.handler import Handler
from windlass.localstack.front.responder import Responder
from windlass.localstack.front.wire import (
    BadRequestError,
    Body,
    BodyCutShortError,
    Request,
    drain,
    read_request,
)

_IDLE = 300.0
_SEND_BUFFER = 1 << 20
_READ_BUFFER = 1 << 16
# After an error in mid-body: how much more is read, so that the client gets to see the answer.
_DRAIN_BYTES = 16 << 20
_DRAIN_SECONDS = 2.0


class Server:
    """Serves `handler` on a loopback address until `stop`."""

    def __init__(self, engine: Engine, handler: Handler, host: str, port: int) -> None:
        self._engine, self._handler = engine, handler
        self._listener = socket.create_server((host, port), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._stopping = threading.Event()

    def run(self) -> None:
        """Accept until stopped. Runs in the calling thread."""
        while not self._stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._connection, args=(sock,), daemon=True)
            with self._lock:
                self._connections[sock] = thread
            thread.start()

    def stop(self, seconds: float) -> None:
        """Take no more, cancel what runs, wait up to `seconds` for the threads."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._handler.running.stop(seconds)
        with self._lock:
            left = dict(self._connections)
        for sock in left:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in left.values():
            thread.join(seconds)

    def _connection(self, sock: socket.socket) -> None:
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
            with sock, sock.makefile("rb", buffering=_READ_BUFFER) as reader:
                assert isinstance(reader, io.BufferedReader)
                while self._request(sock, reader):
                    pass
        except (OSError, BodyCutShortError):
            pass  # the client is gone: nobody is left to tell
        finally:
            with self._lock:
                self._connections.pop(sock, None)

    def _request(self, sock: socket.socket, reader: io.BufferedReader) -> bool:
        """Serve one request; True when the connection can take another."""
        sock.settimeout(_IDLE)
        try:
            request = read_request(reader)
            if request is None or self._stopping.is_set():
                return False
            body = Body(reader, request, lambda: sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n"))
        except BadRequestError as error:
            sock.sendall(_bad_request(str(error)))
            return False
        responder = self._responder(sock, request)
        self._handler.serve(Exchange(request, body, responder, sock))
        if body.complete and not responder.close_after:
            return True
        return self._wind_up(sock, body, keep=not responder.close_after)

    def _responder(self, sock: socket.socket, request: Request) -> Responder:
        responder = Responder(
            sock,
            self._engine.version,
            chunked=request.version != "HTTP/1.0",
            bodyless=request.method == "HEAD",
        )
        responder.close_after = not request.keep_alive
        return responder

    def _wind_up(self, sock: socket.socket, body: Body, *, keep: bool) -> bool:
        """The answer went out before the body was read, or is the last one on this connection."""
        if not keep:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_WR)
        return drain(body, sock, _DRAIN_SECONDS, _DRAIN_BYTES) and keep


def _bad_request(why: str) -> bytes:
    text = f"Bad request: {why}\n".encode()
    head = f"HTTP/1.1 400 Bad Request\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
    return head.encode() + text
