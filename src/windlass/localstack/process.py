"""Processes that outlive the command which started them, told apart from recycled pids."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

# Set in the environment of every part: the stack's directory. Finds what a killed `up` left.
MARK = "WINDLASS_STACK"
# Kept so that children are reaped, and never reported as leaked.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Identity:
    """A process: its pid, and a word for when it started, which no clock change alters. A pid
    alone may belong to somebody else later, the more so after a reboot."""

    pid: int
    started: str


@dataclass(frozen=True)
class Command:
    """What to start: arguments, extra environment, and the log file."""

    argv: Sequence[str]
    env: Mapping[str, str]
    log: Path


def start(command: Command) -> Identity:
    """Start a process in a session of its own, its output appended to the log."""
    command.log.parent.mkdir(parents=True, exist_ok=True)
    with command.log.open("ab") as log:
        child = subprocess.Popen(
            list(command.argv),
            env={**os.environ, **command.env},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _children[child.pid] = child
    return Identity(child.pid, started(child.pid))


def started(pid: int) -> str:
    """When a process started, as boot and clock ticks since then where /proc tells; '' when it
    is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot}/{stat.rpartition(')')[2].split()[19]}"
    except OSError:
        pass
    try:
        return "" if Path("/proc/self").exists() else str(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return ""


def find(identity: Identity) -> psutil.Process | None:
    """The living process, or None when it has ended, or when its pid is somebody else's now."""
    if (child := _children.get(identity.pid)) is not None and child.poll() is not None:
        return None
    try:
        process = psutil.Process(identity.pid)
        same = started(identity.pid) == identity.started
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def exit_status(identity: Identity) -> int | None:
    """How it ended, when it was this process's child: negative is a signal."""
    child = _children.get(identity.pid)
    return None if child is None else child.poll()


def stop(identity: Identity, number: int, seconds: float) -> bool:
    """Signal a process and wait; SIGKILL to it and all its children after `seconds`.

    True when it went by itself.
    """
    if (process := find(identity)) is None:
        return True
    family = _family(process)
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)
    deadline = time.monotonic() + seconds
    while find(identity) is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    gone = find(identity) is None
    _, left = psutil.wait_procs(family, timeout=0.5 if gone else 0)
    for member in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.send_signal(signal.SIGKILL)
    psutil.wait_procs(left, timeout=5)
    return gone


def _family(process: psutil.Process) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return [process, *process.children(recursive=True)]
    return [process]


def strays(directory: Path, known: Sequence[Identity]) -> Iterator[Identity]:
    """Parts of this stack that no record knows: an `up` was killed before it could write."""
    pids = {identity.pid for identity in known}
    marked = {
        process.pid: process for process in psutil.process_iter() if _marked(process, directory)
    }
    for pid, process in marked.items():
        with contextlib.suppress(psutil.NoSuchProcess):
            if pid not in pids and process.ppid() not in marked and os.getsid(pid) == pid:
                yield Identity(pid, started(pid))


def _marked(process: psutil.Process, directory: Path) -> bool:
    try:
        return process.environ().get(MARK) == str(directory)
    except (psutil.Error, OSError):
        return False


def tail(log: Path, lines: int = 12) -> str:
    """The end of a log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
