"""The one way to the server: each statement carries tag, query id and settings of its own."""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from string import Template
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from windlass.domain.errors import ConfigError
from windlass.target import settings as defaults
from windlass.target.errors import translate

if TYPE_CHECKING:
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client

Settings = Mapping[str, str]
Params = Mapping[str, Any]
T = TypeVar("T")

NOTHING_MORE: Settings = MappingProxyType({})
"""No settings beyond those of every statement."""
_QUICK = 60
_MEMORY = 60.0
LOOKING = "windlass/look"
"""The tag of statements that belong to no attempt."""


@dataclass(frozen=True)
class Address:
    """Where the server is. `options` are clickhouse-connect's own (`verify`, `ca_cert`, …)."""

    host: str
    port: int
    secure: bool
    user: str
    password: str = field(repr=False)
    options: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Read `http(s)://user:password@host:port?option=…`. Raises ConfigError."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError(
                "not an address of ClickHouse",
                where="target.url",
                why=f"the scheme is {parts.scheme!r}",
                next_step="write https://user:password@host:8443 (the HTTP port)",
            )
        secure = parts.scheme == "https"
        return cls(
            host=parts.hostname,
            port=parts.port or (8443 if secure else 8123),
            secure=secure,
            user=unquote(parts.username or "default"),
            password=unquote(parts.password or ""),
            options=dict(parse_qsl(parts.query)),
        )

    def __str__(self) -> str:
        return f"clickhouse {self.host}:{self.port}"


class Server:
    """A ClickHouse over HTTP; safe to use from many threads, connects at the first statement.

    `timeout` (seconds) is how long one statement may stay silent. No statement is ever retried
    here. All methods raise errors of `windlass.domain.errors`.
    """

    def __init__(self, address: Address, *, timeout: int = 6 * 3600, connect_timeout: int = 10):
        self.address = address
        self._timeout, self._connect_timeout = timeout, connect_timeout
        self._lock = threading.Lock()
        self._made: Client | None = None
        self._memory: dict[str, tuple[float, Any]] = {}

    def rows(
        self,
        sql: str,
        tag: str = LOOKING,
        params: Params | None = None,
        settings: Settings = NOTHING_MORE,
    ) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""
        with self._errors():
            result = self._client.query(
                sql, parameters=dict(params or {}), settings=self._settings(tag, settings)
            )
            return [tuple(row) for row in result.result_rows]

    def value(
        self,
        sql: str,
        tag: str = LOOKING,
        params: Params | None = None,
        settings: Settings = NOTHING_MORE,
    ) -> Any:  # noqa: ANN401 - whatever the SELECT gives
        """The first value of the first row."""
        return self.rows(sql, tag, params, settings)[0][0]

    def arrow(
        self,
        sql: str,
        tag: str = LOOKING,
        params: Params | None = None,
        settings: Settings = NOTHING_MORE,
    ) -> "pa.Table":
        """The rows of a SELECT as an Arrow table."""
        with self._errors():
            table: pa.Table = self._client.query_arrow(
                sql,
                parameters=dict(params or {}),
                settings=self._settings(tag, settings),
                use_strings=True,
            )
            return table

    def text(self, sql: str, tag: str = LOOKING, settings: Settings = NOTHING_MORE) -> str:
        """What a SELECT with a FORMAT of its own gives."""
        with self._errors():
            return self._client.raw_query(sql, settings=self._settings(tag, settings)).decode()

    def run(self, sql: str, tag: str, settings: Settings = NOTHING_MORE) -> None:
        """A statement without rows."""
        with self._errors():
            self._client.command(sql, settings=self._settings(tag, settings))

    def send(
        self, table: str, columns: Sequence[str], body: Generator[bytes, None, None], tag: str
    ) -> None:
        """One streamed INSERT of an Arrow stream; `table` is quoted already, columns are not."""
        with self._errors():
            self._client.raw_insert(
                table,
                column_names=list(columns),
                insert_block=body,
                settings=self._settings(tag, defaults.stage()),
                fmt="ArrowStream",
            )

    @cached_property
    def quick(self) -> "Server":
        """The same server for looking and killing: what stays silent for long has failed."""
        return Server(self.address, timeout=_QUICK, connect_timeout=self._connect_timeout)

    @cached_property
    def version(self) -> tuple[int, int]:
        """Year and month of the server's release."""
        year, month = str(self._client.server_version).split(".")[:2]
        return int(year), int(month)

    def knows(self, setting: str) -> bool:
        """Whether the server has that setting, and this user may set it."""
        known = self._client.server_settings.get(setting)
        return known is not None and not known.readonly

    def remembered(self, name: str, ask: Callable[[], T]) -> T:
        """The answer to a question about the server's own configuration: asked once a minute."""
        at, known = self._memory.get(name, (float("-inf"), None))
        if time.monotonic() - at < _MEMORY:
            return cast("T", known)
        found = ask()
        self._memory[name] = (time.monotonic(), found)
        return found

    def close(self) -> None:
        """Close the connections."""
        self._memory.clear()
        with self._lock:
            if self._made is not None:
                self._made.close()
            self._made = None
            self.__dict__.pop("version", None)
        quick = self.__dict__.pop("quick", None)
        if quick is not None:
            quick.close()

    def _settings(self, tag: str, extra: Settings) -> dict[str, str]:
        late = self.knows("defer_partition_pruning_after_final")
        early = NOTHING_MORE if late else defaults.BEFORE_DEFERRED_PRUNING
        wanted = {**defaults.EVERYWHERE, **early, **extra}
        known = {name: value for name, value in wanted.items() if self.knows(name)}
        return {**known, "log_comment": tag, "query_id": f"windlass-{uuid.uuid4()}"}

    @property
    def _client(self) -> "Client":
        # Connected without the lock: one statement that hangs must not make all others hang too.
        made = self._made
        if made is None:
            with self._errors():
                made = self._connect()
        with self._lock:
            self._made = self._made or made
            return self._made

    def _connect(self) -> "Client":
        import clickhouse_connect

        # it warns of every error that it also raises
        logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)
        options: dict[str, Any] = dict(self.address.options)
        return clickhouse_connect.get_client(
            host=self.address.host,
            port=self.address.port,
            secure=self.address.secure,
            username=self.address.user,
            password=self.address.password,
            connect_timeout=self._connect_timeout,
            send_receive_timeout=self._timeout,
            query_retries=0,
            query_limit=0,
            autogenerate_session_id=False,
            **options,
        )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        from clickhouse_connect.driver.exceptions import ClickHouseError

        try:
            yield
        except (ClickHouseError, OSError) as error:
            raise translate(error, str(self.address)) from None


def fill(template: str, **parts: str | int) -> str:
    """The SQL template with its `$names` put in: identifiers quoted, expressions the server's
    own, numbers. Unknown or missing names raise KeyError."""
    return Template(template).substitute(parts)
