"""No exit of the command line or of a worker is ever an abort (134) or a segfault (139)."""

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.acceptance.conftest import Maker
from tests.acceptance.world import World

RUNS = pytest.mark.parametrize("runs", [12, pytest.param(50, marks=pytest.mark.slow)])
"""Without what prevents it one of eight is an abort, so twelve miss it one time in five."""
AT_ONCE = 3


def codes(one: Callable[[int], int], runs: int) -> Counter[int]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(one, range(runs)))


@RUNS
def test_command_lines_that_talk_to_temporal_leave_in_order(make_world: Maker, runs: int) -> None:
    world = make_world(rows=200)

    def ask(_: int) -> int:
        words = ["affected", world.name, "acme", "2026-01-01", "2026-01-02"]
        return world.windlass(*words, "--exclusion", "appeals", code=None).returncode

    assert codes(ask, runs) == {0: runs}


@RUNS
def test_workers_leave_in_order(make_world: Maker, tmp_path: Path, runs: int) -> None:
    world = make_world(rows=200, worker=False)
    assert codes(lambda number: served(world, tmp_path / f"ready-{number}"), runs) == {0: runs}


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
