"""The chDB engine: one per process and data directory, a connection for each statement.

Data goes in through `INSERT … FROM INFILE` on a named pipe, rows come out through
`… INTO OUTFILE` on another. Both stream with bounded memory in every format that the engine has,
and, unlike chDB's own `send_insert`, report every error: that one says nothing when a constraint
or a dependent view refuses the rows, or when the statement is killed (found by experiment).
"""

import os
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from windlass.localstack.front.errors import FrontError, parse_engine_error


@dataclass(frozen=True)
class EngineOptions:
    """What the engine may use. Sizes in bytes; the defaults suit two cores. `extra` are XML
    elements of a server's configuration, such as `<remote_servers>`."""

    data: Path
    server_memory: int = 4 << 30
    query_memory: int = 2 << 30
    background_threads: int = 2
    extra: str = ""


@dataclass(frozen=True)
class Outcome:
    """What a statement did: rows and bytes as the engine counts them, and its output, if any."""

    read_rows: int = 0
    read_bytes: int = 0
    result_rows: int = 0
    result_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    output: bytes = b""


class Connection:
    """One engine connection with settings, database and temporary tables of its own.

    Not safe to share between threads at the same time.
    """

    def __init__(self, handle: Any) -> None:  # noqa: ANN401 - chDB ships no types
        self._handle = handle

    def query(
        self, sql: bytes, output: str = "TabSeparated", params: Mapping[str, str] | None = None
    ) -> Outcome:
        """Run one statement. Raises FrontError with the engine's own number and text."""
        try:
            result = self._handle.query(sql, output, params=dict(params or {}))
        except (RuntimeError, ValueError) as error:
            raise parse_engine_error(str(error)) from None
        if result.has_error():
            raise parse_engine_error(result.error_message())
        return Outcome(
            read_rows=result.storage_rows_read(),
            read_bytes=result.storage_bytes_read(),
            result_rows=result.rows_read(),
            result_bytes=result.bytes_read(),
            written_rows=result.rows_written(),
            written_bytes=result.bytes_written(),
            output=result.bytes() if result.size() else b"",
        )

    def apply(self, settings: Mapping[str, str]) -> None:
        """SET each of `settings`; an unknown name or bad value raises as on a server."""
        if settings:
            pairs = ", ".join(f"{_name(name)} = {quote(v)}" for name, v in settings.items())
            self.query(f"SET {pairs}".encode())

    def reset(self, names: list[str]) -> None:
        """Put settings back to the engine's defaults."""
        if names:
            self.query(f"SET {', '.join(f'{_name(n)} = DEFAULT' for n in names)}".encode())

    def use(self, database: str) -> None:
        self.query(f"USE {identifier(database)}".encode())

    def close(self) -> None:
        self._handle.close()


class Engine:
    """The engine of this process. `close` must be the last call, with no statement running."""

    def __init__(self, options: EngineOptions) -> None:
        from chdb import _chdb

        self._connect: Callable[[str], Any] = _chdb.connect  # type: ignore[attr-defined]
        self.options = options
        self.pipes = options.data / "front"
        shutil.rmtree(self.pipes, ignore_errors=True)
        self.pipes.mkdir(parents=True)
        config = self.pipes / "config.xml"
        config.write_text(server_config(options))
        # The first connection holds the engine up and carries the configuration.
        self._base = Connection(self._connect(f"{options.data / 'engine'}?config-file={config}"))
        self._admin = self.connect()
        self._admin_lock = threading.Lock()
        self.version = self.ask("SELECT version()")
        self.timezone = self.ask("SELECT timezone()")

    @property
    def profile(self) -> dict[str, str]:
        """Settings of every new connection: where chDB's own defaults differ from a server's."""
        return {
            "implicit_select": "0",
            "allow_introspection_functions": "0",
            "max_memory_usage": str(self.options.query_memory),
        }

    def connect(self) -> Connection:
        """A fresh connection: 0.2 ms."""
        connection = Connection(self._connect(str(self.options.data / "engine")))
        connection.apply(self.profile)
        return connection

    def ask(self, sql: str, params: Mapping[str, str] | None = None) -> str:
        """Run a statement on the front's own connection; the answer as TabSeparated text."""
        with self._admin_lock:
            return self._admin.query(sql.encode(), params=params).output.decode().rstrip("\n")

    def kill(self, tag: str) -> bool:
        """Mark the statement that carries `tag` as cancelled; False when none runs."""
        sql = f"KILL QUERY WHERE position(query, {quote(tag)}) > 0 ASYNC"
        return bool(self.ask(sql))

    def cancelled_texts(self) -> list[str]:
        """The texts of running statements that somebody has cancelled."""
        text = self.ask("SELECT query FROM system.processes WHERE is_cancelled FORMAT TSVRaw")
        return text.splitlines()

    def query_id_of(self, tag: str) -> str:
        """The engine's own id of the statement that carries `tag`, or ''."""
        sql = (
            "SELECT query_id FROM system.processes WHERE query_id != queryID()"
            f" AND position(query, {quote(tag)}) > 0"
        )
        return self.ask(sql)

    def close(self) -> None:
        self._admin.close()
        self._base.close()
        shutil.rmtree(self.pipes, ignore_errors=True)


def make_pipe(path: Path) -> None:
    os.mkfifo(path, 0o600)


def quote(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def identifier(name: str) -> str:
    """A quoted name."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _name(setting: str) -> str:
    if not setting.replace("_", "").replace(".", "").isalnum():
        raise FrontError(115, "UNKNOWN_SETTING", f"Unknown setting {setting!r}.")
    return setting


def server_config(options: EngineOptions) -> str:
    """The engine's server configuration: pools and caches for two cores, and a query log.

    `old_parts_lifetime` is a server's default; chDB's own is 0.
    """
    values: dict[str, Any] = {
        "max_server_memory_usage": options.server_memory,
        "background_pool_size": options.background_threads,
        "background_schedule_pool_size": 2 * options.background_threads,
        "background_common_pool_size": options.background_threads,
        "mark_cache_size": 256 << 20,
        "uncompressed_cache_size": 0,
        "timezone": "UTC",
    }
    lines = [f"<{name}>{escape(str(value))}</{name}>" for name, value in values.items()]
    lines += [
        "<merge_tree><old_parts_lifetime>480</old_parts_lifetime></merge_tree>",
        "<query_log><database>system</database><table>query_log</table>"
        "<partition_by>toYYYYMM(event_date)</partition_by>"
        "<ttl>event_date + INTERVAL 3 DAY</ttl>"
        "<flush_interval_milliseconds>2000</flush_interval_milliseconds></query_log>",
        options.extra,
    ]
    return "<clickhouse>" + "".join(lines) + "</clickhouse>"
