"""Real servers for every test that asks for them: started once per session, with no workers."""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from windlass.localstack.stack import Endpoints, LocalStack


def pytest_sessionstart() -> None:
    """A test run that is told to end takes its servers with it. A shell that runs it in the
    background has SIGINT ignored, which the processes that tests interrupt would inherit."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)


@pytest.fixture(scope="session")
def local_stack() -> Iterator[Endpoints]:
    """PostgreSQL, ClickHouse and Temporal; stopped and deleted at the end of the session.

    Not below pytest's own folder: each pytest that starts closes that folder to other users,
    and PostgreSQL, which runs as `nobody` where we are root, loses its files.
    """
    directory = Path(tempfile.mkdtemp(prefix="windlass-stack-"))
    stack = LocalStack(directory / "stack")
    try:
        yield stack.up(workers=0)
    finally:
        stack.reset()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(local_stack: Endpoints) -> str:
    """postgresql://user:password@127.0.0.1:PORT/app. Tests make schemas of their own in it."""
    return local_stack.postgres


@pytest.fixture(scope="session")
def clickhouse_url(local_stack: Endpoints) -> str:
    """http://user:password@127.0.0.1:PORT. Tests make databases of their own in it."""
    return local_stack.clickhouse


@pytest.fixture(scope="session")
def temporal_address(local_stack: Endpoints) -> str:
    """host:port of a Temporal server with namespace `default`."""
    return local_stack.temporal
