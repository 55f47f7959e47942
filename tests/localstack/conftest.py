"""A front of its own for these tests, which they may kill, and clients for it."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest

from windlass.localstack.clickhouse_http import PASSWORD_ENV
from windlass.localstack.clickhouse_server import ready
from windlass.localstack.state import free_ports

USER, PASSWORD = "windlass", "pass/word with spaces"


class Front:
    """One front process on a directory; start, stop and kill it."""

    def __init__(self, data: Path) -> None:
        self.data, self.port = data, free_ports(1)[0]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        argv = [sys.executable, "-m", "windlass.localstack.clickhouse_http"]
        argv += ["--data", str(self.data), "--port", str(self.port), "--user", USER]
        self.process = subprocess.Popen(argv, env={**os.environ, PASSWORD_ENV: PASSWORD})
        deadline = time.monotonic() + 30
        while not ready("127.0.0.1", self.port, USER, PASSWORD):
            assert self.process.poll() is None, "the front has died"
            assert time.monotonic() < deadline, "the front does not answer"
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Signal it and wait; the exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(30)

    def client(self, **options: Any) -> Any:
        """A new official client; one per thread."""
        login: dict[str, Any] = {"username": USER, "password": PASSWORD}
        whole = {**login, "autogenerate_session_id": False, **options}
        return clickhouse_connect.get_client(host="127.0.0.1", port=self.port, **whole)


@pytest.fixture(scope="session")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    one = Front(tmp_path_factory.mktemp("front"))
    one.start()
    try:
        yield one
    finally:
        assert one.stop() == 0


@pytest.fixture(scope="session")
def client(front: Front) -> Iterator[Any]:
    made = front.client()
    yield made
    made.close()


@pytest.fixture
def database(client: Any) -> Iterator[str]:
    """A database of the test's own."""
    name = f"test_{secrets.token_hex(6)}"
    client.command(f"CREATE DATABASE {name}")
    yield name
    client.command(f"DROP DATABASE {name}")


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Wait for something in another process that signals nobody; fails after 30 s."""

    def wait(holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not holds():
            assert time.monotonic() < deadline, "it did not happen within 30 s"
            time.sleep(0.02)

    return wait


@pytest.fixture
def spare_front(tmp_path: Path) -> Iterator[Front]:
    """A front that the test may kill."""
    one = Front(tmp_path / "spare")
    one.start()
    yield one
    if one.process is not None:
        with contextlib.suppress(ProcessLookupError):
            one.process.kill()
        one.process.wait(10)
