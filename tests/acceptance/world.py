"""A small fleet on real servers: source, target, a worker process, the real command line."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import clickhouse_connect
import psycopg
from clickhouse_connect.driver.client import Client

from windlass.localstack.stack import Endpoints

RANGE = ("2026-01-01", "2026-02-20")

SOURCE = """
create schema {schema};
create table {schema}.cards(
  card_id bigint primary key, customer text, profile text, kind text,
  amount numeric(12,2), score double precision, note text,
  created_at timestamptz, updated_at timestamptz);
create index on {schema}.cards(customer, profile, created_at);
create table {schema}.marks(
  mark_id bigint primary key, card_id bigint, value int, created_at timestamptz,
  updated_at timestamptz);
create index on {schema}.marks(card_id);
insert into {schema}.cards
select g, 'acme', 'voice', case when g % 10 = 0 then 'appeal' else 'plain' end,
  g * 1.25, case when g % 7 = 0 then null else g / 3.0 end, 'note ' || g,
  timestamptz '2025-12-20 00:00+00' + g * interval '{step} seconds',
  timestamptz '2026-02-25 00:00+00' + g * interval '1 millisecond'
from generate_series(1, {rows}) g;
insert into {schema}.marks
select c.card_id * 3 + m, c.card_id, m, c.created_at + m * interval '1 second', c.updated_at
from {schema}.cards c, generate_series(0, 2) m;
"""

TARGET = """
create table {db}.card(
  card_id Int64, customer String, profile String, kind LowCardinality(String),
  amount Decimal(12,2), score Nullable(Float64), note String,
  created_at DateTime64(6, 'UTC'), updated_at DateTime64(6, 'UTC'){extra})
engine = {engine} {partition} order by {order}
"""
TARGET_MARKS = """
create table {db}.mark(
  mark_id Int64, card_id Int64, value Int32,
  created_at DateTime64(6, 'UTC'), updated_at DateTime64(6, 'UTC'){extra})
engine = {engine} {partition} order by mark_id
"""

CONFIG = """
ledger: sqlite:///{ledger}
clusters:
  {cluster}:
    temporal: {{address: "{temporal}"}}
    source: {{url: "{postgres}"}}
    target: {{url: "{clickhouse}", staging_database: "{staging}"}}
datasets:
  cards:
    tenants: {{query: "select distinct customer, profile from {schema}.cards"}}
    database: "{db_template}"
    tables:
      card:
        from: {schema}.cards
        tenant: {{customer: customer, profile: profile}}
        time: created_at
        key: [card_id]
        {version}
        exclude: {{{exclude}}}
      mark:
        from: {schema}.marks
        parent: {{table: card, on: {{card_id: card_id}}}}
        time: created_at
        key: [mark_id]
        {version}
"""

BLOCKS = " settings enable_block_number_column=1, enable_block_offset_column=1"


@dataclass
class World:
    """One tenant acme/voice with cards and marks over 2025-12-20 .. 2026-03-10."""

    endpoints: Endpoints
    directory: Path
    rows: int = 8000
    engine: str = "ReplacingMergeTree(updated_at)"
    partition: str = "partition by toYYYYMM(created_at)"
    order: str = "card_id"
    versioned: bool = True
    settings: str = BLOCKS
    extra: str = ""
    patience: float = 240
    name: str = field(default_factory=lambda: f"a{uuid.uuid4().hex[:8]}")
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def db(self) -> str:
        return f"{self.name}_acme_voice"

    @property
    def config(self) -> Path:
        return self.directory / "windlass.yaml"

    def pg(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run SQL in the source; rows, where there are any."""
        with psycopg.connect(self.endpoints.postgres, autocommit=True) as connection:
            cursor = connection.execute(sql, values or None)
            return cursor.fetchall() if cursor.description else []

    @property
    def ch(self) -> Client:
        """The target, as any client sees it."""
        return clickhouse_connect.get_client(dsn=self.endpoints.clickhouse)

    def build(self, exclude: str = "appeals: \"t.kind = 'appeal'\"") -> "World":
        """Fill the source, leave in the target what an unfiltered append would have left."""
        step = 80 * 86400 // self.rows
        self.pg(SOURCE.format(schema=self.name, rows=self.rows, step=step))
        self.ch.command(f"create database {self.db}")
        facts = {
            "db": self.db,
            "engine": self.engine,
            "partition": self.partition,
            "extra": self.extra,
        }
        self.ch.command(TARGET.format(**facts, order=self.order) + self.settings)
        self.ch.command(TARGET_MARKS.format(**facts) + self.settings)
        self.fill_target()
        self.write_config(exclude)
        return self

    def fill_target(self) -> None:
        """Everything that the source holds, appeals included."""
        for table, source in (("card", "cards"), ("mark", "marks")):
            rows = self.pg(f"select * from {self.name}.{source}")
            names = [
                c[0]
                for c in self.pg(
                    "select column_name from information_schema.columns where table_schema=%s "
                    "and table_name=%s order by ordinal_position",
                    self.name,
                    source,
                )
            ]
            self.ch.insert(f"{self.db}.{table}", rows, column_names=names)

    def write_config(self, exclude: str = "appeals: \"t.kind = 'appeal'\"") -> None:
        """The fleet file; `exclude` is what stands between the braces."""
        text = CONFIG.format(
            ledger=self.directory / "windlass.db",
            cluster=self.name,
            temporal=self.endpoints.temporal,
            postgres=self.endpoints.postgres,
            clickhouse=self.endpoints.clickhouse,
            staging=f"{self.name}_staging",
            schema=self.name,
            db_template=f"{self.name}_{{customer}}_{{profile}}",
            version="version: updated_at" if self.versioned else "",
            exclude=exclude,
        )
        self.config.write_text(textwrap.dedent(text), encoding="utf-8")

    def start_worker(self, clusters: str = "") -> subprocess.Popen[bytes]:
        """A worker process, ready; for the world's own cluster unless told otherwise."""
        ready = self.directory / f"ready-{len(self.workers)}"
        log = (self.directory / f"worker-{len(self.workers)}.log").open("wb")
        worker = subprocess.Popen(
            [*self.argv, "worker", "--cluster", clusters or self.name],
            env={**os.environ, "WINDLASS_READY_FILE": str(ready)},
            stdout=log,
            stderr=log,
        )
        self.workers.append(worker)
        deadline = time.monotonic() + 60
        while not ready.exists():
            assert worker.poll() is None, Path(log.name).read_text()
            assert time.monotonic() < deadline, Path(log.name).read_text()
            time.sleep(0.05)
        return worker

    @property
    def argv(self) -> list[str]:
        return [sys.executable, "-m", "windlass.cli", "--config", str(self.config)]

    def windlass(self, *words: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run a command; `code` is the exit code that it must end with (None: any)."""
        done = subprocess.run(
            [*self.argv, *words], capture_output=True, text=True, timeout=self.patience, check=False
        )
        if code is not None:
            assert done.returncode == code, (
                f"{words}: {done.returncode}\n{done.stderr}\n{done.stdout}"
            )
        return done

    def json(self, *words: str, code: int = 0) -> Any:
        """A command's JSON."""
        return json.loads(self.windlass(*words, "-o", "json", code=code).stdout)

    def run(self, *words: str, code: int = 0, span: Sequence[str] = RANGE) -> Any:
        """`windlass run` over the range, with --yes; its JSON."""
        return self.json("run", self.name, "acme", *span, "--yes", *words, code=code)

    def report(self) -> dict[str, Any]:
        """The report's tables by name, of the latest campaign."""
        found = json.loads(self.windlass("report", "--format", "json").stdout)
        return {table["table"]: table for table in found["tables"]}

    def live(self, table: str) -> list[tuple[Any, ...]]:
        """All live rows (FINAL where the engine replaces), sorted, as text: nothing of
        Windlass's own is used to compare."""
        final = "FINAL" if "Replacing" in self.engine else ""
        columns = LIVE[table]
        sql = f"select {columns} from {self.db}.{table} {final} order by 1"
        return [tuple(row) for row in self.ch.query(sql).result_rows]

    def expected(
        self, table: str, predicate: str = "c.kind is distinct from 'appeal'"
    ) -> list[tuple[Any, ...]]:
        """What the source says should be live: kept rows in the range, and everything that was
        there outside it."""
        inside = f"x.created_at >= '{RANGE[0]}Z' and x.created_at < '{RANGE[1]}Z'"
        sql = SOURCE_ROWS[table].format(schema=self.name, inside=inside, kept=predicate)
        return self.pg(sql)

    def assert_exact(self) -> None:
        """Row by row: live equals what it should be, inside the range and outside."""
        for table in ("card", "mark"):
            live, expected = self.live(table), self.expected(table)
            assert len(live) == len(expected), (table, len(live), len(expected))
            differing = [pair for pair in zip(live, expected, strict=True) if pair[0] != pair[1]]
            assert not differing, (table, differing[:3])

    def staging_tables(self) -> list[str]:
        """What is left in the staging database, but for what is kept for undo."""
        return [name for name in self._in_staging() if not name.startswith("kept_")]

    def kept_tables(self) -> list[str]:
        """What is kept for undo."""
        return [name for name in self._in_staging() if name.startswith("kept_")]

    def _in_staging(self) -> list[str]:
        sql = "select name from system.tables where database = {d:String}"
        found = self.ch.query(sql, parameters={"d": f"{self.name}_staging"})
        return [row[0] for row in found.result_rows]

    def configure(self, old: str, new: str) -> None:
        """Put something else into the fleet file."""
        text = self.config.read_text(encoding="utf-8")
        assert text.count(old) == 1
        self.config.write_text(text.replace(old, new), encoding="utf-8")

    def restart_worker(self) -> subprocess.Popen[bytes]:
        """End the last worker in good order, start another."""
        self.workers[-1].send_signal(signal.SIGTERM)
        self.workers[-1].wait(60)
        return self.start_worker()

    def close(self) -> None:
        """End the workers, drop what was made."""
        for worker in self.workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGTERM)
        for worker in self.workers:
            try:
                worker.wait(30)
            except subprocess.TimeoutExpired:
                worker.kill()
        self.pg(f"drop schema if exists {self.name} cascade")
        for database in (self.db, f"{self.name}_staging"):
            self.ch.command(f"drop database if exists {database}")


LIVE = {
    "card": "card_id, customer, profile, kind, toString(amount), score, note, "
    "toUnixTimestamp64Micro(created_at), toUnixTimestamp64Micro(updated_at)",
    "mark": "mark_id, card_id, value, toUnixTimestamp64Micro(created_at), "
    "toUnixTimestamp64Micro(updated_at)",
}
MICROS = "(extract(epoch from x.{0}) * 1000000)::bigint"
SOURCE_ROWS = {
    "card": "select x.card_id, x.customer, x.profile, x.kind, trim_scale(x.amount)::text, "
    f"x.score, x.note, {MICROS.format('created_at')}, {MICROS.format('updated_at')} "
    "from {schema}.cards x join {schema}.cards c using (card_id) "
    "where not ({inside}) or ({kept}) order by 1",
    "mark": f"select x.mark_id, x.card_id, x.value, {MICROS.format('created_at')}, "
    f"{MICROS.format('updated_at')} from {{schema}}.marks x join {{schema}}.cards c "
    "using (card_id) where not ({inside}) or ({kept}) order by 1",
}
