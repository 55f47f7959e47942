"""A workbench for target tests: live tables, staged rows and publishes in one line each."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from windlass.domain.attempt import Attempt, Staging
from windlass.domain.dataset import Dataset, Slice, TableSpec, TenantColumns
from windlass.domain.plan import GroupTable, TablePlan
from windlass.domain.schema import ColumnPair, SourceColumn, TargetTable
from windlass.domain.states import Path
from windlass.domain.tenant import Tenant
from windlass.domain.window import Interval
from windlass.target.clickhouse import ClickHouseTarget
from windlass.target.client import Address, Server
from windlass.target.names import quote, staging_name
from windlass.verify.pairs import pair

STAGING = "windlass_staging"
PATCHES = "SETTINGS enable_block_number_column = 1, enable_block_offset_column = 1"
SOURCE_TYPES = {
    "Int64": "bigint",
    "UInt64": "bigint",
    "String": "text",
    "DateTime64(6, 'UTC')": "timestamp with time zone",
    "DateTime": "timestamp with time zone",
    "UInt8": "smallint",
}
ARROW_TYPES = {
    "bigint": pa.int64(),
    "text": pa.string(),
    "timestamp with time zone": pa.timestamp("us", "UTC"),
    "smallint": pa.int16(),
}


def at(text: str) -> datetime:
    """An instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def span(start: str, end: str) -> Interval:
    """A range in UTC."""
    return Interval(at(start), at(end))


def ignore(_rows: int) -> None:
    """A pulse that nobody feels."""


@dataclass
class Bench:
    """One live table `items` of one database, and its publishes."""

    target: ClickHouseTarget
    server: Server
    database: str
    key: tuple[str, ...] = ("k",)
    time: str = "t"
    version: str | None = "v"
    table: str = "items"
    tries: int = 0
    columns: dict[str, str] = field(
        default_factory=lambda: {
            "k": "Int64",
            "x": "String",
            "t": "DateTime64(6, 'UTC')",
            "v": "DateTime64(6, 'UTC')",
        }
    )

    def create(
        self,
        engine: str = "ReplacingMergeTree(v)",
        partition: str = "toYYYYMM(t)",
        order: str = "k",
        settings: str = PATCHES,
        extra: str = "",
    ) -> TargetTable:
        """The live table, afresh."""
        by = f"PARTITION BY {partition}" if partition else ""
        return self.create_raw(f"ENGINE = {engine} {by} ORDER BY {order} {settings}", extra)

    def create_raw(self, shape: str, extra: str = "") -> TargetTable:
        """The live table, afresh, of exactly that shape."""
        columns = ", ".join(f"{quote(name)} {kind}" for name, kind in self.columns.items())
        self.run(f"DROP TABLE IF EXISTS {self.ref} SYNC")
        self.run(f"CREATE TABLE {self.ref} ({columns}{extra}) {shape}")
        return self.live

    @property
    def ref(self) -> str:
        """The live table, quoted."""
        return f"{quote(self.database)}.{quote(self.table)}"

    @property
    def live(self) -> TargetTable:
        """The live table as described now."""
        live = self.target.describe(self.database, self.table)
        assert live is not None
        return live

    @property
    def pairs(self) -> list[ColumnPair]:
        """All columns' pairs."""
        live = self.live
        found = []
        for name, kind in self.columns.items():
            column = live.column(name)
            assert column is not None
            found.append(pair(SourceColumn(name, SOURCE_TYPES[kind], nullable=False), column))
        return found

    def run(self, sql: str) -> None:
        """A statement."""
        self.server.run(sql, "windlass/test")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """A SELECT's rows."""
        return self.server.rows(sql)

    def put(self, *rows: tuple[Any, ...]) -> None:
        """Insert rows into live, as another writer would."""
        self.send(self.ref, rows)

    def send(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows into any table with the bench's columns."""
        from windlass.target.arrowstream import ArrowBody
        from windlass.target.watch import Moved

        body = ArrowBody([self.batch(rows)], Moved())
        names = body.begin()
        self.server.send(table, names, body.stream(), "windlass/test")

    def batch(self, rows: Sequence[tuple[Any, ...]]) -> pa.RecordBatch:
        """Rows as the source reads them."""
        arrays = []
        for at_, kind in enumerate(self.columns.values()):
            values = [
                at(v) if isinstance(v, str) and "DateTime" in kind else v
                for v in (row[at_] for row in rows)
            ]
            arrays.append(pa.array(values, ARROW_TYPES[SOURCE_TYPES[kind]]))
        return pa.RecordBatch.from_arrays(arrays, names=list(self.columns))

    def seen(self, columns: str = "k, x", where: str = "1") -> list[tuple[Any, ...]]:
        """What readers see, in order of the columns."""
        final = self.live.final
        return self.rows(f"SELECT {columns} FROM {self.ref} {final} WHERE {where} ORDER BY ALL")

    def piece(self, interval: Interval) -> Slice:
        """The slice of the range."""
        spec = TableSpec(
            name=self.table,
            relation="app.items",
            time=self.time,
            key=self.key,
            version=self.version,
            tenant=TenantColumns("customer_id"),
        )
        tenant = Tenant("local", "acme", "", self.database)
        return Slice(Dataset("items", (spec,)), spec, tenant, interval)

    def attempt(self, subject: str = "group") -> Attempt:
        """A new attempt."""
        self.tries += 1
        return Attempt("test", f"test/{self.database}/{subject}", self.tries)

    def stage_table(self) -> Staging:
        """A window's staging, empty."""
        staging = Staging(self.attempt("window"), self.table, database=self.database)
        self.target.stage(self.live, staging)
        return staging

    def staging_ref(self, staging: Staging) -> str:
        """A staging table, qualified and quoted."""
        return f"{STAGING}.{quote(staging_name(staging))}"

    def stage(self, *rows: tuple[Any, ...]) -> Staging:
        """A window's staging with these rows."""
        staging = Staging(self.attempt("window"), self.table, database=self.database)
        self.target.stage(self.live, staging)
        self.target.insert(staging, [self.batch(rows)] if rows else [], ignore)
        return staging

    def plan(self, edge: Path) -> TablePlan:
        """A plan whose edges take that path."""
        live = self.live
        return TablePlan(
            table=self.table,
            columns=tuple(self.pairs),
            left_out=(),
            create_hash=live.create_hash,
            edge_path=edge,
            removal=live.removal,
            promise="",
            why="",
        )

    def publish(
        self,
        path: Path,
        interval: Interval,
        *staged: Staging,
        edge: Path = Path.IN_PLACE,
        whole: Sequence[Interval] | None = None,
        attempt: Attempt | None = None,
        pulse: Callable[[int], None] = ignore,
        newer_than: datetime | None = None,
    ) -> Mapping[str, int | str]:
        """Publish windows over the range; whole partitions as the server finds them."""
        live = self.live
        if whole is None:
            found = self.target.whole_ranges(live, self.time, interval) or []
            whole = found if path in {Path.SWAP, Path.DELETE} else []
        return self.target.publish(
            live,
            self.piece(interval),
            self.pairs,
            self.plan(edge if path is Path.SWAP else path),
            GroupTable(self.table, path, tuple(whole)),
            staged,
            attempt or self.attempt(),
            pulse,
            newer_than,
        )

    def differing(self, interval: Interval, *staged: Staging) -> list[dict[str, Any]]:
        """What the adapter itself finds different."""
        table = self.target.differing(
            self.live, self.piece(interval), self.pairs, staged, 100, self.attempt()
        )
        rows: list[dict[str, Any]] = table.to_pylist()
        return rows


def make_bench(url: str, **changes: Any) -> Bench:
    """A bench in a database of its own."""
    server = Server(Address.parse(url))
    database = changes.pop("database", f"acme_{uuid.uuid4().hex[:10]}")
    bench = Bench(ClickHouseTarget(url, STAGING), server, database)
    bench.run(f"CREATE DATABASE `{database}`")
    return replace(bench, **changes)
