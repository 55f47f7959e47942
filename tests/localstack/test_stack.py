"""The whole stack: up, up again, down, and everything that can go wrong between."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest
import yaml

from windlass.localstack import process
from windlass.localstack.process import MARK
from windlass.localstack.stack import Endpoints, LocalStack
from windlass.localstack.state import StackError, new_record, save

Eventually = Callable[[Callable[[], bool]], None]
WORKER = """
import os, pathlib, signal, sys
assert pathlib.Path(sys.argv[1]).exists()
pathlib.Path(os.environ["WINDLASS_READY_FILE"]).write_text(str(os.getpid()))
signal.sigwait([signal.SIGTERM])
"""


def _worker(config: Path) -> Sequence[str]:
    return [sys.executable, "-c", WORKER, str(config)]


def _failing(_config: Path) -> Sequence[str]:
    return [sys.executable, "-c", "import sys; sys.exit('no such cluster: nowhere')"]


def _processes(directory: Path) -> list[psutil.Process]:
    """Every process of a stack, children included."""
    found: set[psutil.Process] = set()
    for one in psutil.process_iter():
        try:
            if one.environ().get(MARK) == str(directory):
                found |= {one, *one.children(recursive=True)}
        except psutil.Error:
            continue
    return [p for p in found if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[LocalStack]:
    made = LocalStack(tmp_path / "s t", worker_command=_worker)
    yield made
    made.down()
    assert _processes(made.directory) == []


def _states(stack: LocalStack) -> dict[str, str]:
    return {part.name: part.state for part in stack.status().parts}


def test_a_life(stack: LocalStack) -> None:
    """Up, up again, more workers, fewer, down, up with the data, down, reset."""
    assert (stack.status().ready, stack.status().endpoints) == (False, None)
    seen: list[Endpoints] = []

    def configure(endpoints: Endpoints) -> None:
        assert "worker-1" not in _states(stack), "servers first, then this, then workers"
        seen.append(endpoints)

    endpoints = stack.up(1, configure=configure)
    assert seen == [endpoints]
    assert stack.status().ready
    assert stack.status().endpoints == endpoints
    _check_config(endpoints, stack.directory)
    before = _pids(stack)
    assert stack.up(1) == endpoints
    assert _pids(stack) == before, "what runs is left alone"

    stack.up(3)
    assert list(_pids(stack)) == [*before, "worker-2", "worker-3"]
    stack.up(1)
    assert _pids(stack) == before
    with psycopg.connect(endpoints.postgres) as connection:
        connection.execute("CREATE TABLE kept (a int)")

    stack.down()
    assert _processes(stack.directory) == []
    assert set(_states(stack).values()) == {"stopped"}
    assert not stack.status().dead
    stack.down()

    assert stack.up(0) == endpoints, "ports and passwords stay"
    with psycopg.connect(endpoints.postgres) as connection:
        connection.execute("SELECT * FROM kept")
    (stack.directory / "mine.txt").touch()
    stack.reset()
    assert sorted(os.listdir(stack.directory)) == ["mine.txt", "stack.lock"]


def _pids(stack: LocalStack) -> dict[str, int | None]:
    return {part.name: part.pid for part in stack.status().parts}


def _check_config(endpoints: Endpoints, directory: Path) -> None:
    path = Path(endpoints.config)
    assert path == directory / "windlass.yaml"
    local = {
        "temporal": {"address": endpoints.temporal, "namespace": "default"},
        "source": {"url": endpoints.postgres},
        "target": {"url": endpoints.clickhouse, "staging_database": "windlass_staging"},
    }
    assert yaml.safe_load(path.read_text()) == {
        "ledger": f"sqlite:///{directory}/windlass.db",
        "clusters": {"local": local},
        "datasets": {},
    }
    for secret in (path, directory / "stack.json"):
        assert secret.stat().st_mode & 0o077 == 0


def test_a_worker_that_cannot_start(tmp_path: Path) -> None:
    """Its log is told, and what this `up` had started is gone again."""
    stack = LocalStack(tmp_path / "stack", worker_command=_failing)
    with pytest.raises(StackError) as caught:
        stack.up(1)
    assert "worker-1 ended (exit status 1)" in str(caught.value)
    assert "no such cluster: nowhere" in str(caught.value)
    assert _processes(stack.directory) == []


def test_a_configure_that_fails(stack: LocalStack) -> None:
    """What ran before stays; what was started goes. So does a config that is the user's own."""
    stack.directory.mkdir(parents=True)
    mine = stack.directory / "windlass.yaml"
    mine.write_text("datasets: {}\n")
    stack.up(0)
    assert mine.read_text() == "datasets: {}\n"
    before = _pids(stack)

    def configure(_endpoints: Endpoints) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stack.up(1, configure=configure)
    assert _pids(stack) == before
    assert stack.status().ready


def test_parts_that_die_are_told_and_come_back(stack: LocalStack, eventually: Eventually) -> None:
    """kill -9 of one, then of all: `status` names them, `up` starts what is missing."""
    stack.up(1)
    before = _pids(stack)
    os.kill(before["clickhouse"] or 0, signal.SIGKILL)
    eventually(lambda: [part.name for part in stack.status().dead] == ["clickhouse"])
    assert not stack.status().ready
    assert "ready on" in stack.status().dead[0].detail, "the end of its log"
    for pid in before.values():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid or 0, signal.SIGKILL)
    eventually(lambda: len(stack.status().dead) == len(before))
    stack.up(1)
    assert stack.status().ready
    assert not set(_pids(stack).values()) & set(before.values())


def test_a_record_of_another_life(stack: LocalStack) -> None:
    """After a reboot the pids in the record belong to strangers, who must not be harmed."""
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    started = f"another-boot/{process.started(stranger.pid).rpartition('/')[2]}"
    names = ("postgres", "clickhouse", "temporal", "worker-1")
    parts = dict.fromkeys(names, process.Identity(stranger.pid, started))
    stack.directory.mkdir(parents=True)
    save(stack.directory, replace(new_record(), parts=parts))
    assert len(stack.status().dead) == 4
    stack.up(0)
    assert {"postgres", "clickhouse", "temporal"} <= {
        name for name, pid in _pids(stack).items() if pid != stranger.pid
    }
    stack.down()
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_broken_record(stack: LocalStack) -> None:
    stack.directory.mkdir(parents=True)
    (stack.directory / "stack.json").write_text("{")
    with pytest.raises(StackError, match="cannot be read"):
        stack.status()
    (stack.directory / "stack.json").unlink()


def test_a_port_that_is_taken(stack: LocalStack) -> None:
    """The config names it, so no other is taken silently."""
    stack.directory.mkdir(parents=True)
    record = new_record()
    save(stack.directory, record)
    port = record.ports["clickhouse"]
    with socket.create_server(("127.0.0.1", port)), pytest.raises(StackError) as caught:
        stack.up(0)
    assert f"port {port}" in str(caught.value)
    assert _processes(stack.directory) == []


def test_two_at_once(stack: LocalStack) -> None:
    """The second waits for the first, and finds everything done. When their record is lost, as
    by an `up` that was killed before it could write, the processes are found by their mark."""
    with ThreadPoolExecutor() as pool:
        one, other = pool.map(
            lambda _: LocalStack(stack.directory, worker_command=_worker).up(1), "12"
        )
    assert one == other
    assert stack.status().ready
    leaders = [p for p in _processes(stack.directory) if os.getsid(p.pid) == p.pid]
    parts = set(_pids(stack).values())
    assert {p.pid for p in leaders if p.ppid() not in parts} == parts
    (stack.directory / "stack.json").unlink()
    stack.down()
    assert _processes(stack.directory) == []
