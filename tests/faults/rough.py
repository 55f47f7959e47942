"""Faults that take parts of the stack down, on a stack that nobody else uses."""

import os
import signal
import subprocess
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil

from tests.faults.run import Fault, Run
from tests.faults.strikes import arm_strike, kill_worker
from windlass.localstack import state
from windlass.localstack.stack import Endpoints, LocalStack, StackError

DISK = 700 << 20
"""Bytes of the small disk below ClickHouse, where we may mount one."""
SPARE = 64 << 10
PARTS = ("clickhouse", "postgres", "temporal")


class RoughStack:
    """A stack whose parts are killed and started again at their old addresses."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.stack = LocalStack(directory)
        self._lock = threading.Lock()
        self.disk = directory / "clickhouse"
        self.mounted = self._mount()

    def up(self) -> Endpoints:
        """Start whatever does not run."""
        return self.stack.up(workers=0)

    def close(self) -> None:
        """Stop all, and delete."""
        with self._lock, suppress(StackError):
            self.stack.down()
        if self.mounted:
            subprocess.run(["umount", str(self.disk)], check=False)
        self.stack.reset()

    def _mount(self) -> bool:
        """A small disk of ClickHouse's own; needs root."""
        if os.geteuid() != 0:
            return False
        self.disk.mkdir(parents=True, exist_ok=True)
        words = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(self.disk)]
        return subprocess.run(words, check=False, capture_output=True).returncode == 0

    def crash(self, *parts: str) -> None:
        """SIGKILL to the parts with all their children, as a power cut would."""
        record = state.load(self.directory)
        assert record is not None
        family: list[psutil.Process] = []
        for part in parts:
            with suppress(psutil.NoSuchProcess, KeyError):
                process = psutil.Process(record.parts[part].pid)
                family += [process, *process.children(recursive=True)]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        psutil.wait_procs(family, timeout=10)

    def restart(self) -> None:
        """Bring everything up again; a port or a lock may take a moment to come free."""
        with self._lock:
            for _ in range(20):
                with suppress(StackError):
                    self.stack.up(workers=0)
                    return
                time.sleep(0.5)

    def fill_disk(self, seconds: float) -> None:
        """Leave next to nothing free, for so long."""
        ballast = self.disk / "ballast"
        with ballast.open("wb") as file:
            free = os.statvfs(self.disk)
            room = free.f_bavail * free.f_frsize - SPARE
            if room > 0:
                os.posix_fallocate(file.fileno(), 0, room)

        def empty() -> None:
            time.sleep(seconds)
            ballast.unlink(missing_ok=True)

        threading.Thread(target=empty, daemon=True).start()


def _stack(run: Run) -> RoughStack:
    assert run.stack is not None
    return run.stack


def _crash(run: Run, parts: tuple[str, ...], moment: float, down: float) -> None:
    """Kill after `moment` seconds, start again after another `down`."""
    time.sleep(moment)
    run.crashed_target |= "clickhouse" in parts
    _stack(run).crash(*parts)
    if len(parts) == len(PARTS):
        kill_worker(run)

    def again() -> None:
        time.sleep(down)
        _stack(run).restart()

    run.threads.append(threading.Thread(target=again, daemon=True))
    run.threads[-1].start()


def crash_at(parts: tuple[str, ...], step: str, point: str, run: Run) -> None:
    """Kill these parts when that step comes by, and start them again."""
    moment = run.dice.choice([0.0, 0.0, run.dice.uniform(0.0, 0.04)])
    down = run.dice.choice([0.0, run.dice.uniform(0.0, 12.0)])
    arm_strike(run, step, at=point, act=partial(_crash, run, parts, moment, down))


def _any_time(parts: tuple[str, ...], run: Run) -> None:
    fired = threading.Event()

    def act() -> None:
        _crash(run, parts, 0.0, run.dice.uniform(0.0, 12.0))
        fired.set()

    run.later(run.dice.uniform(0.2, 6.0), act)
    run.struck = fired.is_set


def _disk_full(step: str, run: Run) -> None:
    seconds = run.dice.uniform(2.0, 15.0)
    if not _stack(run).mounted:
        run.note("no small disk could be mounted here: nothing was filled")
        run.struck = lambda: False
        return
    arm_strike(run, step, at="before", act=partial(_stack(run).fill_disk, seconds))


def _of(part: str, *steps: tuple[str, str]) -> list[Fault]:
    family = f"{part} killed (SIGKILL), started again"
    parts = (part.lower(),)
    made = [
        Fault(family, f"{s}, {p}", partial(crash_at, parts, s, p), rough=True) for s, p in steps
    ]
    return [*made, Fault(family, "any time", partial(_any_time, parts), rough=True)]


_EVERYTHING = "whole stack and worker killed, started again"

ROUGH = (
    *_of(
        "ClickHouse",
        ("swap", "sent"), ("load-insert", "sent"), ("swap", "answered"), ("attach", "sent"),
        ("insert-live", "sent"), ("delete-live", "sent"), ("swap", "before"), ("settle", "sent"),
        ("swap", "sent"), ("insert-live", "answered"), ("sweep", "sent"), ("guard", "sent"),
    ),
    *_of(
        "PostgreSQL",
        ("load-create", "answered"), ("load-insert", "before"), ("guard", "sent"),
        ("swap", "answered"), ("settle", "answered"),
    ),
    *_of(
        "Temporal",
        ("load-insert", "sent"), ("guard", "answered"), ("swap", "sent"), ("published", "answered"),
        ("sweep", "sent"),
    ),
    *(Fault(_EVERYTHING, f"{s}, {p}", partial(crash_at, PARTS, s, p), rough=True)
      for s, p in (("load-insert", "sent"), ("swap", "sent"), ("delete-live", "sent"),
                   ("insert-live", "answered"), ("sweep", "sent"))),
    *(Fault("ClickHouse killed (SIGKILL), started again", f"append: move, {p}",
            partial(crash_at, ("clickhouse",), "move", p), rough=True, modes=("append",))
      for p in ("sent", "sent", "answered")),
    *(Fault("disk of ClickHouse really full", s, partial(_disk_full, s), rough=True)
      for s in ("load-create", "load-insert", "attach", "insert-live", "delete-live")),
)  # fmt: skip
