"""The fleet demo's workers: a process for a few clusters each, started again when it dies."""

import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from windlass.localstack import process
from windlass.localstack.parts import READY_FILE_ENV
from windlass.localstack.process import MARK, Command, Identity
from windlass.localstack.state import StackError

_START_SECONDS = 120.0


class Crew:
    """Workers by name. As a service manager would, it starts a dead one again at once; one that
    is stopped (SIGSTOP) looks alive to it."""

    def __init__(self, directory: Path, config: Path, members: Mapping[str, Sequence[str]]) -> None:
        """`members`: the clusters that each serves."""
        self._directory, self._config, self._members = directory, config, dict(members)
        self._running: dict[str, Identity] = {}
        self.starts: dict[str, int] = dict.fromkeys(members, 0)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def start(self) -> None:
        """Start all; return when each serves. StackError when one does not."""
        for name in self._members:
            self._start(name)
        self._keeper.start()
        for name in self._members:
            self.await_ready(name)

    def await_ready(self, name: str, seconds: float = _START_SECONDS) -> None:
        """Return once it serves, however often it has to be started meanwhile."""
        until = time.monotonic() + seconds
        while not self._ready(name).exists():
            if time.monotonic() > until:
                raise StackError(
                    f"worker {name} does not serve after {seconds:.0f} s",
                    where=str(self._log(name)),
                    why=process.tail(self._log(name)),
                )
            time.sleep(0.1)

    def serving(self, cluster: str) -> str:
        """The name of the worker that serves the cluster."""
        return next(name for name, clusters in self._members.items() if cluster in clusters)

    def pid(self, name: str) -> int:
        """Of the process that runs now."""
        return self._running[name].pid

    def signal(self, name: str, number: int) -> int:
        """Send it; returns the pid. With SIGKILL another one is started."""
        with self._lock:
            identity = self._running[name]
            if number == signal.SIGKILL:
                self._ready(name).unlink(missing_ok=True)
            with suppress(ProcessLookupError):
                os.kill(identity.pid, number)
        return identity.pid

    def close(self) -> None:
        """End all of them in good order."""
        self._closing.set()
        if self._keeper.is_alive():
            self._keeper.join()
        for identity in self._running.values():
            with suppress(ProcessLookupError):
                os.kill(identity.pid, signal.SIGCONT)
                os.kill(identity.pid, signal.SIGTERM)
        for identity in self._running.values():
            process.stop(identity, signal.SIGTERM, 20.0)

    def _keep(self) -> None:
        while not self._closing.wait(0.2):
            for name in self._members:
                with self._lock:
                    if process.find(self._running[name]) is None:
                        self._start(name)

    def _start(self, name: str) -> None:
        self._ready(name).parent.mkdir(parents=True, exist_ok=True)
        self._ready(name).unlink(missing_ok=True)
        argv = [sys.executable, "-m", "windlass.cli", "--config", str(self._config)]
        argv += ["worker", "--cluster", ",".join(self._members[name])]
        env = {MARK: str(self._directory), READY_FILE_ENV: str(self._ready(name)), "TZ": "UTC"}
        self._running[name] = process.start(Command(argv, env, self._log(name)))
        self.starts[name] += 1

    def _ready(self, name: str) -> Path:
        return self._directory / "run" / f"crew-{name}.ready"

    def _log(self, name: str) -> Path:
        return self._directory / "logs" / f"worker-{name}.log"
