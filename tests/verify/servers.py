"""The road from a real PostgreSQL to a real ClickHouse, by the adapters' own clients."""

import io
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from windlass.domain.schema import ColumnPair
from windlass.source.stream import plain, plain_schema
from windlass.target.arrowstream import stored
from windlass.target.chdbdigest import ChdbDigest
from windlass.target.client import Server
from windlass.target.names import quote
from windlass.verify import canonical
from windlass.verify.pairs import SESSION

TAG = "windlass/test-verify"
TABLE = "proof_verify.t"
SUSPICIOUS = {"allow_suspicious_low_cardinality_types": "1"}


def quoted(name: str) -> str:
    """A PostgreSQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def source_column(name: str) -> str:
    """A source reference as the adapters write it."""
    return "t." + quoted(name)


def target_column(name: str) -> str:
    """A target reference as the adapters write it."""
    return quote(name)


@dataclass
class Servers:
    """Connections to both. The source table is proof.t, the target's `TABLE`. Rows are written
    by another driver than they are read by."""

    adbc: Any
    writing: Any
    clickhouse: Server

    def setup(self) -> None:
        for name, value in SESSION.items():
            self.run(f"set {quoted(name)} = '{value}'")
        self.run("create schema if not exists proof")
        self.clickhouse.run("create database if not exists proof_verify", TAG)

    def teardown(self) -> None:
        self.adbc.rollback()
        self.run("drop schema if exists proof cascade")
        self.clickhouse.run("drop database if exists proof_verify sync", TAG)
        self.clickhouse.close()

    def run(self, sql: str) -> None:
        with self.adbc.cursor() as cursor:
            cursor.execute(sql)
        self.adbc.commit()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.adbc.cursor() as cursor:
            cursor.execute(sql)
            found: list[tuple[Any, ...]] = cursor.fetchall()
        self.adbc.commit()
        return found

    def rollback(self) -> None:
        self.adbc.rollback()

    def arrow(self, sql: str) -> pa.Table:
        with self.adbc.cursor() as cursor:
            cursor.execute(sql)
            table = cursor.fetch_arrow_table()
        self.adbc.commit()
        batches = [plain(batch) for batch in table.to_batches()]
        return pa.Table.from_batches(batches, plain_schema(table.schema))

    def write(
        self, table: str, columns: Mapping[str, str], rows: Iterable[Mapping[str, Any]]
    ) -> None:
        """The source table of that name, afresh, with these rows; what a row lacks is NULL."""
        listed = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
        with self.writing.transaction(), self.writing.cursor() as cursor:
            cursor.execute(f"drop table if exists {table}")
            cursor.execute(f"create table {table} ({listed})")
            with cursor.copy(f"copy {table} from stdin (format binary)") as copy:
                copy.set_types(list(columns.values()))
                for row in rows:
                    copy.write_row([row.get(name) for name in columns])

    def query(self, sql: str) -> list[list[str]]:
        """Rows of ClickHouse as text fields."""
        text = self.clickhouse.text(f"{sql} FORMAT TSV", TAG)
        return [line.split("\t") for line in text.splitlines()]

    def target(self, columns: Sequence[tuple[str, str]]) -> None:
        """The ClickHouse table, afresh."""
        listed = ", ".join(f"{quote(name)} {kind}" for name, kind in columns)
        self.clickhouse.run(f"drop table if exists {TABLE} sync", TAG)
        create = f"create table {TABLE} ({listed}) engine = MergeTree order by tuple()"
        self.clickhouse.run(create, TAG, SUSPICIOUS)

    def insert(self, table: pa.Table) -> None:
        """The INSERT that the target adapter sends."""
        if table.num_rows:
            self.clickhouse.send(TABLE, table.column_names, _body(table), TAG)


def _body(table: pa.Table) -> Generator[bytes, None, None]:
    batches = [stored(batch) for batch in table.to_batches()]
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    yield sink.getvalue()


def hashed(pairs: Sequence[ColumnPair], table: pa.Table) -> list[str]:
    """Rows and sum as the target adapter's running digest gives them."""
    digest = ChdbDigest(pairs)
    for batch in table.to_batches():
        digest.update(batch)
    found = digest.result()
    return [str(found.rows), found.sum]


def read_sql(pairs: Sequence[ColumnPair], where: str = "true") -> str:
    """What the source adapter selects."""
    listed = ", ".join(
        f"{canonical.fill(pair.read, source_column(pair.name))} as {quoted(pair.name)}"
        for pair in pairs
    )
    return f"select {listed} from proof.t t where {where}"


def hazard_sql(pairs: Sequence[ColumnPair]) -> str:
    """True for rows with a value that its target cannot hold."""
    found = [canonical.fill(p.hazard, source_column(p.name)) for p in pairs if p.hazard]
    return "coalesce((" + ") or (".join(found or ["false"]) + "), false)"


@dataclass(frozen=True)
class Digests:
    """Rows and sum: MD5 by PostgreSQL and ClickHouse, fast over Arrow and over the table."""

    source: list[str]
    target: list[str]
    arrow: list[str]
    staged: list[str]


def carry(servers: Servers, pairs: Sequence[ColumnPair], where: str) -> Digests:
    """Rows of proof.t through the driver into a new target table, digested on all sides."""
    table = servers.arrow(read_sql(pairs, where))
    servers.target([(pair.name, pair.target_type) for pair in pairs])
    servers.insert(table)
    md5 = canonical.source_digest(pairs, source_column)
    [source] = servers.rows(f"select {md5} from proof.t t where {where}")
    fast = canonical.fast_digest(canonical.target_values(pairs, target_column))
    [staged] = servers.query(f"select {fast} from {TABLE}")
    [target] = servers.query(f"select {canonical.target_digest(pairs, target_column)} from {TABLE}")
    return Digests([str(one) for one in source], target, hashed(pairs, table), staged)
