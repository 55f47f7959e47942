"""A real PostgreSQL and a real ClickHouse engine for the proofs, and the road between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from windlass.domain.schema import ColumnPair
from windlass.verify import canonical
from windlass.verify.pairs import SESSION


def quoted(name: str) -> str:
    """Both servers take identifiers in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def source_column(name: str) -> str:
    """A source reference as the adapters write it."""
    return "t." + quoted(name)


@dataclass
class Servers:
    """Connections to both, and one scratch table in each."""

    adbc: Any
    clickhouse: Any
    scratch: Path

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
        return stored(table)

    def query(self, sql: str) -> list[list[str]]:
        """Rows of ClickHouse as text fields."""
        text = self.clickhouse.query(sql, "TSV").bytes().decode()
        return [line.split("\t") for line in text.splitlines()]

    def query_arrow(self, sql: str, batches: pa.Table) -> list[list[str]]:
        """As `query`, over `Python(batches)`."""
        assert batches is not None  # the engine finds it by this name in this frame
        text = self.clickhouse.query(sql, "TSV").bytes().decode()
        return [line.split("\t") for line in text.splitlines()]

    def setup(self) -> None:
        for name, value in SESSION.items():
            self.run(f"set {quoted(name)} = '{value}'")
        self.run("create schema if not exists proof")
        self.query("create database if not exists proof")
        self.query("set allow_suspicious_low_cardinality_types = 1")

    def target(self, columns: Sequence[tuple[str, str]]) -> None:
        """The ClickHouse table, afresh."""
        listed = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns)
        self.query("drop table if exists proof.t")
        self.query(f"create table proof.t ({listed}) engine = MergeTree order by tuple()")

    def insert(self, table: pa.Table, columns: Sequence[tuple[str, str]]) -> None:
        """Arrow bytes into the table through the format that an HTTP INSERT uses."""
        path = self.scratch / "batches.arrows"
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        listed = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns)
        structure = listed.replace("\\", "\\\\").replace("'", "\\'")
        self.query(
            f"insert into proof.t select * from file('{path}', 'ArrowStream', '{structure}')"
        )


def stored(table: pa.Table) -> pa.Table:
    """Without extension types, as the target adapter sends and hashes batches."""
    columns = [
        pa.chunked_array([one.storage for one in column.chunks], column.type.storage_type)
        if isinstance(column.type, pa.BaseExtensionType)
        else column
        for column in table.columns
    ]
    return pa.table(columns, names=table.schema.names)


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
