"""One generated table through the real adapters: from PostgreSQL into staging, published, and
compared on both servers, in Windlass' digests and in texts of our own."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import clickhouse_connect
import psycopg
from psycopg import sql

from tests.model.schemas import Column, Table
from windlass.domain.attempt import Attempt, Staging
from windlass.domain.dataset import Dataset, Exclusion, Slice, TableSpec, TenantColumns
from windlass.domain.errors import UnrepresentableError, WindlassError
from windlass.domain.plan import TablePlan
from windlass.domain.results import Digest
from windlass.domain.schema import ColumnPair, TargetTable
from windlass.domain.states import Mode
from windlass.domain.tenant import Tenant
from windlass.domain.window import Interval
from windlass.planner.groups import group_table
from windlass.planner.paths import edge_path
from windlass.source.postgres import PostgresSource
from windlass.target.clickhouse import ClickHouseTarget
from windlass.verify.pairs import match
from windlass.verify.verdict import judge_hazards, judge_read, judge_staged

BASE = datetime(2026, 3, 20, tzinfo=UTC)
"""The clocks of Europe go forward nine days later."""
KEEP = ("the_key", "customer_id", "at", "changed_at", "kept_out")


class Refusal(Exception):
    """The road is closed to a table, for a reason that was told before anything was visible."""


@dataclass
class Carriage:
    """The servers, and one table on each."""

    postgres: str
    clickhouse: str

    def __post_init__(self) -> None:
        self.name = f"any_{uuid.uuid4().hex[:10]}"
        self.source = PostgresSource(self.postgres)
        self.target = ClickHouseTarget(self.clickhouse, f"{self.name}_staging")
        self.pg = psycopg.connect(self.postgres, autocommit=True)
        self.ch = clickhouse_connect.get_client(dsn=self.clickhouse)
        self.tries = 0

    def close(self) -> None:
        """Leave nothing."""
        for database in (self.name, f"{self.name}_staging"):
            self.ch.command(f"DROP DATABASE IF EXISTS `{database}` SYNC")
        self.pg.execute(f"DROP SCHEMA IF EXISTS {self.name} CASCADE".encode())
        self.target.close()
        self.pg.close()
        self.ch.close()

    def make(self, table: Table) -> None:
        """Both tables, and the source's rows. Refusal: PostgreSQL itself does not take a value."""
        own = ", ".join(f"{pg(one.name)} {one.source}" for one in table.columns)
        self.run(f"CREATE SCHEMA {self.name}")
        self.run(
            f"CREATE TABLE {self.name}.items (the_key int PRIMARY KEY, customer_id text, "
            f"at timestamptz, changed_at timestamptz NOT NULL, kept_out bool, {own})"
        )
        for key, (day, values) in enumerate(table.rows):
            self._put(table, key, day, values)
        listed = ", ".join(f"{ch(one.name)} {one.target}" for one in table.columns)
        by = f"PARTITION BY {table.partition}" if table.partition else ""
        engine = "ReplacingMergeTree(changed_at)" if table.replacing else "MergeTree"
        self.ch.command(f"CREATE DATABASE `{self.name}`")
        self.ch.command(
            f"CREATE TABLE `{self.name}`.items (the_key Int32, at DateTime64(6, 'UTC'), "
            f"changed_at DateTime64(6, 'UTC'), {listed}) ENGINE = {engine} {by} ORDER BY the_key",
            settings={"allow_suspicious_low_cardinality_types": 1},
        )

    def _put(self, table: Table, key: int, day: int, values: Sequence[str | None]) -> None:
        texts = ", ".join(
            "NULL" if value is None else f"{quote(value)}::{one.source}"
            for one, value in zip(table.columns, values, strict=True)
        )
        at = (BASE + timedelta(days=day, hours=day)).isoformat()
        out = "true" if table.excluded[key] else "NULL"
        self.run(
            f"INSERT INTO {self.name}.items VALUES ({key}, 'acme', '{at}', now(), {out}, {texts})"
        )

    def run(self, statement: str) -> None:
        """On PostgreSQL, without placeholders."""
        self.pg.execute(sql.SQL(statement.replace("{", "{{").replace("}", "}}")).format())

    def spec(self) -> TableSpec:
        """The table as a fleet file would describe it."""
        return TableSpec(
            name="items",
            relation=f"{self.name}.items",
            time="at",
            key=("the_key",),
            version="changed_at",
            tenant=TenantColumns("customer_id"),
            exclusions=(Exclusion("kept_out", "t.kept_out"),),
        )

    def piece(self, interval: Interval) -> Slice:
        """The slice of that range."""
        dataset = Dataset("any", (self.spec(),), tenants_list=(("acme", ""),))
        return Slice(dataset, self.spec(), Tenant("test", "acme", "", self.name), interval)

    def pairs(self) -> tuple[ColumnPair, ...]:
        """The proven pairs of both tables."""
        live = self.live()
        dataset = self.piece(days(0, 1)).dataset
        matched = match(self.source.columns(self.spec(), dataset), live.columns)
        assert matched.refusals == ()
        return matched.pairs

    def live(self) -> TargetTable:
        """The live table."""
        live = self.target.describe(self.name, "items")
        assert live is not None
        return live

    def attempt(self, subject: str) -> Attempt:
        """A new one."""
        self.tries += 1
        return Attempt(self.name, f"{self.name}/{subject}", self.tries)

    def load(self, piece: Slice, pairs: Sequence[ColumnPair]) -> Staging:
        """What the load of a window does. Refusal: a hazard, or a mismatch, parks it."""
        attempt = self.attempt("window")
        staging = Staging(attempt, "items", database=self.name)
        with self.source.hold(attempt) as held:
            snapshot = held.snapshot.id
            count = self.source.count(piece, pairs, attempt, snapshot)
            try:
                judge_hazards(count)
            except UnrepresentableError as error:
                raise Refusal(str(error)) from error
            self.target.stage(self.live(), staging)
            read = self._stream(piece, pairs, staging, snapshot)
            judge_read(count, read, self.target.staged_rows(staging))
        judge_staged(read, self.target.staged(staging, pairs))
        return staging

    def _stream(
        self, piece: Slice, pairs: Sequence[ColumnPair], staging: Staging, snapshot: str
    ) -> Digest:
        digest = self.target.digester(pairs)
        with self.source.read(piece, pairs, staging.attempt, snapshot) as batches:

            def hashed() -> Any:
                for batch in batches:
                    digest.update(batch)
                    yield batch

            self.target.insert(staging, hashed(), lambda _rows: None)
        return digest.result()

    def publish(self, piece: Slice, pairs: Sequence[ColumnPair], staged: Sequence[Staging]) -> None:
        """Make it visible, by the path that the planner would take."""
        live = self.live()
        edge = edge_path(live, Mode.REPLACE)
        whole = whole_ranges(live.partition_key, piece.interval)
        group = group_table("items", Mode.REPLACE, edge, piece.interval, whole)
        plan = TablePlan(
            "items", tuple(pairs), (), live.create_hash, edge, live.removal, "promise", "why"
        )
        attempt = self.attempt("group")
        self.target.publish(live, piece, pairs, plan, group, staged, attempt, lambda _rows: None)
        for one in (attempt, *(staging.attempt for staging in staged)):
            self.target.sweep(one)

    def digests(self, piece: Slice, pairs: Sequence[ColumnPair]) -> tuple[Digest, Digest]:
        """Of both servers."""
        (source,) = self.source.digest(piece, pairs, self.attempt("digest"), None)
        (target,) = self.target.digest(self.live(), piece, pairs)
        return source, target


def whole_ranges(partition: str, interval: Interval) -> list[Interval]:
    """As the server would say it; to ask costs it seconds."""
    step = {"toDate(at)": 1, "toMonday(at)": 7}.get(partition)
    if step is None:
        return []
    first = BASE if step == 1 else BASE - timedelta(days=BASE.weekday())
    starts = (first + timedelta(days=step * n) for n in range(60))
    ranges = (Interval(start, start + timedelta(days=step)) for start in starts)
    return [one for one in ranges if interval.covers(one)]


def pg(name: str) -> str:
    """A PostgreSQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def ch(name: str) -> str:
    """A ClickHouse identifier."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def quote(value: str) -> str:
    """A PostgreSQL literal."""
    return "E'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def days(start: int, end: int) -> Interval:
    """A range in days of `BASE`."""
    return Interval(BASE + timedelta(days=start), BASE + timedelta(days=end))


__all__ = ["BASE", "Carriage", "Column", "Refusal", "WindlassError", "days"]
