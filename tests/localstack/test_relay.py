"""The relay: what passes, what is slowed, what is cut."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from windlass.localstack.relay import Relay, Slow

ANSWER = 400_000


class Answering:
    """A server that answers every word with so many bytes."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        try:
            while client.recv(1024):
                client.sendall(b"x" * ANSWER)
        except OSError:
            return

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def relay() -> Iterator[Relay]:
    server = Answering()
    made = Relay(server.port)
    yield made
    made.close()
    server.close()


def ask(relay: Relay, words: bytes) -> float:
    """Seconds until the whole answer is there."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", relay.port), timeout=20) as client:
        client.sendall(words)
        left = ANSWER
        while left:
            found = client.recv(65_536)
            assert found, f"{left} bytes short"
            left -= len(found)
    return time.monotonic() - began


def drained(client: socket.socket) -> int:
    """Bytes that still came before the connection ended."""
    came = 0
    with suppress(ConnectionError):
        while found := client.recv(65_536):
            came += len(found)
    return came


def test_only_the_statement_that_a_rule_is_about_is_slowed(relay: Relay) -> None:
    rule = Slow((b"COPY (", b"'acme'"), rate=200_000, free=200_000)
    relay.rules = (rule,)
    assert ask(relay, b"COPY (select 'globex')") < 0.7
    assert rule.hits == 0
    assert ask(relay, b"COPY (select 'acme')") >= 0.7
    assert rule.hits == 1
    assert 130_000 <= rule.slowed <= 200_000 + 65_536


def test_a_rule_that_is_off_slows_nothing(relay: Relay) -> None:
    relay.rules = (Slow((b"COPY",), rate=1_000, on=False),)
    assert ask(relay, b"COPY") < 2


def test_cut_resets_what_there_is_and_serves_what_comes(relay: Relay) -> None:
    relay.rules = (Slow((b"COPY",), rate=1_000),)
    with socket.create_connection(("127.0.0.1", relay.port), timeout=20) as client:
        client.sendall(b"COPY")
        assert client.recv(10)
        assert relay.cut() == 1
        assert drained(client) < ANSWER - 10
    assert ask(relay, b"something else") < 2
