"""The local stack: PostgreSQL, ClickHouse, Temporal and workers on one machine.

All state lies in one directory and survives `down` and `up`. Each part is a process in a session
of its own; nothing stays behind when `up` fails or is interrupted.
"""

import shutil
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from windlass.localstack import parts as parts_module
from windlass.localstack import process, state
from windlass.localstack.config import write_config
from windlass.localstack.endpoints import Endpoints
from windlass.localstack.parts import Part, WorkerCommand
from windlass.localstack.process import Identity
from windlass.localstack.state import Record, StackError

__all__ = ["Endpoints", "LocalStack", "PartStatus", "StackError", "StackStatus"]

_TICK = 0.05
_OWN_FILES = ("postgres", "clickhouse", "logs", "run", "windlass.yaml", "stack.json")


@dataclass(frozen=True)
class PartStatus:
    """One part. `state`: running, starting (does not answer yet), dead (ended by itself),
    stopped. `detail`: the end of the log of a dead part."""

    name: str
    state: str
    pid: int | None
    port: int | None
    log: str
    detail: str = ""


@dataclass(frozen=True)
class StackStatus:
    """The whole stack; `endpoints` is None when it was never up. `ready`: every part answers."""

    endpoints: Endpoints | None
    parts: tuple[PartStatus, ...]

    @property
    def ready(self) -> bool:
        return bool(self.parts) and all(part.state == "running" for part in self.parts)

    @property
    def dead(self) -> tuple[PartStatus, ...]:
        return tuple(part for part in self.parts if part.state == "dead")


def _silent(_message: str) -> None:
    """No progress wanted."""


class LocalStack:
    """The stack in `directory`. Commands on the same directory wait for each other."""

    def __init__(
        self,
        directory: Path,
        *,
        worker_command: WorkerCommand = parts_module.default_worker_command,
        progress: Callable[[str], None] = _silent,
        targets: Sequence[str] = (),
        namespaces: Sequence[str] = (),
    ) -> None:
        """`worker_command` gives a worker's argv for a config path; `targets` names ClickHouses
        beside the one that every stack has, `namespaces` those of Temporal beside `default`."""
        self.directory = directory.expanduser().resolve()
        self._worker_command, self._progress = worker_command, progress
        self._targets = tuple(f"{parts_module.CLICKHOUSE}-{name}" for name in targets)
        self._namespaces = tuple(namespaces)

    def up(
        self, workers: int = 1, *, configure: Callable[[Endpoints], None] | None = None
    ) -> Endpoints:
        """Start what does not run yet and wait until all of it answers.

        `workers` is how many there are afterwards: some are stopped when there are more.
        `configure` runs when the servers are ready, before workers start. Raises StackError when
        a part dies or does not answer in time; what this call had started is then stopped again,
        as on Ctrl-C.
        """
        with state.locked(self.directory, self._tell_waiting):
            record = self._record()
            self._stop_strays(record)
            started: list[Part] = []
            try:
                servers = parts_module.servers(self.directory, record, self._namespaces)
                self._start_all(servers, started)
                endpoints = self._endpoints(record)
                write_config(self.directory, endpoints)
                self._stop_all(self._workers_above(workers))
                if configure is not None:
                    configure(endpoints)
                self._start_all(self._workers(workers), started)
            except BaseException:
                self._progress("stopping what was started")
                self._stop_all(started)
                self._stop_strays(self._record())
                raise
            return endpoints

    def status(self, *, ask: bool = True) -> StackStatus:
        """Look at every part, and `ask` it whether it answers. Changes nothing."""
        record = state.load(self.directory)
        if record is None:
            return StackStatus(None, ())
        numbers = _worker_numbers(record)
        known = [*parts_module.servers(self.directory, record), *map(self._worker, numbers)]
        found = tuple(self._part_status(part, record, ask) for part in known)
        return StackStatus(self._endpoints(record), found)

    def down(self) -> None:
        """Stop workers, then Temporal, ClickHouse and PostgreSQL. The data stays."""
        with state.locked(self.directory, self._tell_waiting):
            self._down()

    def reset(self) -> None:
        """Stop everything and delete the stack's data, ledger and config."""
        with state.locked(self.directory, self._tell_waiting):
            self._down()
            for name in _OWN_FILES:
                _delete(self.directory / name)
            for pattern in ("temporal.db*", "windlass.db*", f"{parts_module.CLICKHOUSE}-*"):
                for path in self.directory.glob(pattern):
                    _delete(path)

    def target_url(self, name: str) -> str:
        """Where the further ClickHouse of that name answers."""
        return parts_module.clickhouse_url(self._record(), f"{parts_module.CLICKHOUSE}-{name}")

    def _tell_waiting(self) -> None:
        self._progress("waiting for another command on this stack")

    def _record(self) -> Record:
        known = state.load(self.directory)
        record = (known or state.new_record()).with_ports(self._targets)
        if record != known:
            state.save(self.directory, record)
        return record

    def _endpoints(self, record: Record) -> Endpoints:
        return Endpoints(
            postgres=parts_module.postgres_url(record),
            clickhouse=parts_module.clickhouse_url(record),
            temporal=parts_module.temporal_address(record),
            temporal_ui=f"http://{parts_module.HOST}:{record.ports['temporal_ui']}",
            config=str(self.directory / "windlass.yaml"),
        )

    def _worker(self, number: int) -> Part:
        config = self.directory / "windlass.yaml"
        return parts_module.worker(self.directory, number, config, self._worker_command)

    def _workers(self, count: int) -> list[Part]:
        return [self._worker(number) for number in range(1, count + 1)]

    def _workers_above(self, count: int) -> list[Part]:
        return [self._worker(n) for n in _worker_numbers(self._record()) if n > count]

    def _start_all(self, wanted: list[Part], started: list[Part]) -> None:
        """Start what is missing side by side, then wait for each."""
        for part in wanted:
            identity = self._record().parts.get(part.name)
            if identity is None or process.find(identity) is None:
                self._start(part, started)
        for part in wanted:
            self._await(part)

    def _start(self, part: Part, started: list[Part]) -> None:
        if part.port is not None and not state.port_is_free(part.port):
            raise StackError(
                f"port {part.port}, which {part.name} had before, is taken",
                where=str(self.directory),
                why="another program listens on it",
                next_step=f"`ss -ltnp | grep {part.port}` names it; then `windlass dev up`",
            )
        self._progress(f"starting {part.name}")
        part.prepare()
        started.append(part)
        identity = process.start(part.command)
        state.save(self.directory, self._record().with_part(part.name, identity))

    def _await(self, part: Part) -> None:
        identity = self._record().parts[part.name]
        deadline = time.monotonic() + part.start_seconds
        while not part.ready():
            if process.find(identity) is None:
                raise _died(part, identity)
            if time.monotonic() > deadline:
                raise _late(part)
            time.sleep(_TICK)
        # Something else may have answered in the place of a part that could not start.
        if process.find(identity) is None:
            raise _died(part, identity)

    def _stop_all(self, which: list[Part]) -> None:
        for part in sorted(which, key=lambda p: -p.order):
            record = self._record()
            if (identity := record.parts.get(part.name)) is not None:
                if process.find(identity) is not None:
                    self._progress(f"stopping {part.name}")
                process.stop(identity, part.stop_signal, part.stop_seconds)
                state.save(self.directory, record.with_part(part.name, None))

    def _down(self) -> None:
        record = state.load(self.directory)
        if record is not None:
            workers = map(self._worker, _worker_numbers(record))
            self._stop_all([*workers, *parts_module.servers(self.directory, record)])
        self._stop_strays(record)

    def _stop_strays(self, record: Record | None) -> None:
        known = list(record.parts.values()) if record else []
        for identity in list(process.strays(self.directory, known)):
            self._progress(f"stopping process {identity.pid}, left behind by an interrupted start")
            found = process.find(identity)
            is_postgres = found is not None and found.name() == "postgres"
            process.stop(identity, signal.SIGINT if is_postgres else signal.SIGTERM, 10.0)

    def _part_status(self, part: Part, record: Record, ask: bool) -> PartStatus:
        identity, log = record.parts.get(part.name), str(part.command.log)
        if identity is None:
            return PartStatus(part.name, "stopped", None, part.port, log)
        if process.find(identity) is None:
            end = process.tail(part.command.log)
            return PartStatus(part.name, "dead", identity.pid, part.port, log, end)
        name = "running" if not ask or part.ready() else "starting"
        return PartStatus(part.name, name, identity.pid, part.port, log)


def _worker_numbers(record: Record) -> list[int]:
    names = (name.removeprefix("worker-") for name in record.parts)
    return sorted(int(name) for name in names if name.isdigit())


def _died(part: Part, identity: Identity) -> StackError:
    status = process.exit_status(identity)
    how = "" if status is None else f" (exit status {status})"
    return StackError(
        f"{part.name} ended{how} before it was ready",
        where=str(part.command.log),
        why=process.tail(part.command.log) or "its log is empty",
        next_step="mend what the log names, then `windlass dev up` again",
    )


def _late(part: Part) -> StackError:
    return StackError(
        f"{part.name} did not answer within {part.start_seconds:.0f} s",
        where=str(part.command.log),
        why=process.tail(part.command.log) or "its log is empty",
        next_step="look at the log, then `windlass dev up` again",
    )


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
