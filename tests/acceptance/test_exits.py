"""No exit of the command line or of a worker is ever an abort (134) or a segfault (139)."""

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.acceptance.conftest import Maker
from tests.acceptance.world import World

RUNS = 50
AT_ONCE = 3


def codes(one: Callable[[int], int]) -> Counter[int]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(one, range(RUNS)))


def test_fifty_command_lines_that_talk_to_temporal_leave_in_order(make_world: Maker) -> None:
    world = make_world(rows=200)

    def ask(_: int) -> int:
        words = ["affected", world.name, "acme", "2026-01-01", "2026-01-02"]
        return world.windlass(*words, "--exclusion", "appeals", code=None).returncode

    assert codes(ask) == {0: RUNS}


def test_fifty_workers_leave_in_order(make_world: Maker, tmp_path: Path) -> None:
    world = make_world(rows=200, worker=False)
    assert codes(lambda number: served(world, tmp_path / f"ready-{number}")) == {0: RUNS}


def served(world: World, ready: Path) -> int:
    """Start a worker, end it as soon as it is ready; its exit code."""
    os.mkfifo(ready)
    worker = subprocess.Popen(
        [*world.argv, "worker", "--cluster", world.name],
        env={**os.environ, "WINDLASS_READY_FILE": str(ready)},
        stderr=subprocess.DEVNULL,
    )
    assert ready.read_text() == str(worker.pid)  # waits until the worker writes it
    worker.send_signal(signal.SIGTERM)
    return worker.wait(60)
