"""What the stack remembers between commands: ports, passwords and processes, in stack.json."""

import contextlib
import fcntl
import json
import os
import secrets
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from windlass.domain.errors import WindlassError
from windlass.localstack.process import Identity

PORT_NAMES = ("postgres", "clickhouse", "temporal", "temporal_ui", "temporal_http", "metrics")
# Below the range from which systems take ports for outgoing connections.
_FIRST_PORT, _LAST_PORT = 20_000, 32_000
_FILE = "stack.json"


class StackError(WindlassError):
    """The local stack cannot be started, or a part of it died."""


@dataclass(frozen=True)
class Record:
    """The contents of stack.json."""

    ports: dict[str, int]
    passwords: dict[str, str] = field(repr=False)
    parts: dict[str, Identity] = field(default_factory=dict)

    def with_part(self, name: str, identity: Identity | None) -> "Record":
        """With a part's process noted, or forgotten."""
        parts = {key: value for key, value in self.parts.items() if key != name}
        return replace(self, parts=parts if identity is None else {**parts, name: identity})

    def with_ports(self, names: Sequence[str]) -> "Record":
        """With a free port under each of these names; those that have one keep it."""
        new = [name for name in names if name not in self.ports]
        if not new:
            return self
        found = zip(new, free_ports(len(new)), strict=True)
        return replace(self, ports={**self.ports, **dict(found)})


def load(directory: Path) -> Record | None:
    """The record, or None when there is none yet. Raises StackError when it is not readable."""
    path = directory / _FILE
    try:
        raw = json.loads(path.read_text("utf-8"))
        parts = {name: Identity(**value) for name, value in raw["parts"].items()}
        return Record(dict(raw["ports"]), dict(raw["passwords"]), parts)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StackError(
            "the stack's record cannot be read",
            where=str(path),
            why=str(error),
            next_step=f"delete {path} and run `windlass dev up` again",
        ) from error


def save(directory: Path, record: Record) -> None:
    """Write the record whole, readable by the owner alone: it holds passwords."""
    path = directory / _FILE
    draft = directory / f"{_FILE}.new"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(record), file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def new_record() -> Record:
    """Free ports and fresh passwords."""
    ports = dict(zip(PORT_NAMES, free_ports(len(PORT_NAMES)), strict=True))
    names = ("postgres", "clickhouse")
    return Record(ports, {name: secrets.token_urlsafe(12) for name in names})


def free_ports(count: int) -> list[int]:
    """Distinct ports that are free now. All stay bound until all are found."""
    with contextlib.ExitStack() as held:
        found: list[int] = []
        while len(found) < count:
            port = _FIRST_PORT + secrets.randbelow(_LAST_PORT - _FIRST_PORT)
            listener = held.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                listener.bind(("127.0.0.1", port))
                found.append(port)
        return found


def port_is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@contextmanager
def locked(directory: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """One command at a time changes a stack; the next one waits, and says so by `waiting`."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "stack.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
