"""A local stack of the suite's own, and the commands that are measured on it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import clickhouse_connect
import psycopg
import yaml

from benchmarks.data import Table
from windlass.localstack.stack import Endpoints, LocalStack

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from windlass.domain.record import CampaignFacts

CLUSTER = "bench"
PULLING = "bench-pull"
"""The same servers once more, with the load path by which the target pulls, where there is one."""
PATIENCE = 1_800.0
"""Seconds after which a command is given up."""
QUIET_SECONDS = 30.0


class BenchError(Exception):
    """A measurement that could not be made."""


def say(text: str) -> None:
    """Progress, for whoever waits."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)  # noqa: T201


def environment() -> dict[str, str]:
    """The environment of commands: with caches of compiled modules, as users have them."""
    unwanted = ("PYTHONDONTWRITEBYTECODE", "WINDLASS_CONFIG")
    return {name: value for name, value in os.environ.items() if name not in unwanted}


@dataclass(frozen=True)
class Campaign:
    """One `windlass run` that ended verified: the engine's `seconds` from the campaign's start
    to its end, the `command_seconds` of the whole command, and what the ledger says of it."""

    seconds: float
    command_seconds: float
    facts: "CampaignFacts"

    @property
    def name(self) -> str:
        """The campaign's name."""
        return self.facts.campaign.name


@dataclass
class World:
    """The stack, with one cluster and as many datasets as were added; use it as a context."""

    directory: Path = field(
        default_factory=lambda: Path(tempfile.mkdtemp(prefix="windlass-bench-"))
    )
    tables: dict[str, Table] = field(default_factory=dict)
    campaigns: int = 0
    per_tenant: int = 2

    def __enter__(self) -> Self:
        self.stack = LocalStack(self.directory / "stack", progress=say)
        try:
            self.endpoints: Endpoints = self.stack.up(workers=0)
        except BaseException:
            self._delete()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stack.reset()
        finally:
            self._delete()

    def _delete(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def config(self) -> Path:
        """The fleet file."""
        return Path(self.endpoints.config)

    @property
    def ch(self) -> "Client":
        """A client of the target, closed by whoever asked for it."""
        return clickhouse_connect.get_client(dsn=self.endpoints.clickhouse)

    def command(self, sql: str) -> None:
        """Run a statement in the target."""
        with self.ch as client:
            client.command(sql)

    def value(self, sql: str) -> Any:  # noqa: ANN401 - whatever the statement asks for
        """The one value that the target answers."""
        with self.ch as client:
            return client.query(sql).result_rows[0][0]

    def pull_function(self, table: Table) -> str:
        """ClickHouse's own view of the source table."""
        url = urlsplit(self.endpoints.postgres)
        place = f"'{url.hostname}:{url.port}', '{url.path[1:]}'"
        return f"postgresql({place}, '{table.name}', '{url.username}', '{url.password}', 'bench')"

    def versions(self) -> dict[str, str]:
        """What the servers call themselves."""
        with psycopg.connect(self.endpoints.postgres) as connection:
            postgres = connection.info.server_version
        return {
            "PostgreSQL": f"{postgres // 10000}.{postgres % 10000}",
            "ClickHouse": str(self.value("select version()")),
        }

    def add(self, table: Table) -> Table:
        """Make the table on both sides (the live one empty) and its dataset."""
        say(f"making {table.rows:,} rows in {table.relation}")
        for statement in table.source_sql():
            self._source(statement)
        for database in table.databases:
            self.command(f"create database if not exists {database}")
            self.command(f"drop table if exists {database}.score sync")
            self.command(table.target_sql(f"{database}.score"))
        self.tables[table.name] = table
        self._write_config()
        return table

    def _source(self, sql: str) -> None:
        """Run a statement in the source; VACUUM wants to be alone."""
        patience = f"-c statement_timeout={PATIENCE:.0f}s -c maintenance_work_mem=256MB"
        with psycopg.connect(
            self.endpoints.postgres, autocommit=True, options=patience
        ) as connection:
            connection.execute(sql.encode())

    def drop(self, table: Table) -> None:
        """Take it away again on both sides."""
        del self.tables[table.name]
        self._source(f"drop table if exists {table.relation}")
        for database in table.databases:
            self.command(f"drop database if exists {database} sync")

    @property
    def pulling(self) -> dict[str, object]:
        """What a cluster says so that its target pulls; empty where this version cannot."""
        from windlass.settings.models import Cluster

        return {"load": "pull"} if "load" in Cluster.model_fields else {}

    def _cluster(self, staging: str) -> dict[str, object]:
        return {
            "temporal": {"address": self.endpoints.temporal, "namespace": "default"},
            "source": {"url": self.endpoints.postgres},
            "target": {"url": self.endpoints.clickhouse, "staging_database": staging},
            "limits": {"windows": 8, "windows_per_tenant": self.per_tenant},
        }

    def _write_config(self) -> None:
        clusters = {CLUSTER: self._cluster("windlass_staging")}
        if self.pulling:
            clusters[PULLING] = self._cluster("windlass_pulling") | self.pulling
        fleet = {
            "ledger": f"sqlite:///{self.config.with_name('windlass.db')}",
            "clusters": clusters,
            "datasets": {name: table.dataset() for name, table in self.tables.items()},
        }
        self.config.write_text(yaml.safe_dump(fleet, sort_keys=False), encoding="utf-8")

    def worker(self, per_tenant: int = 2) -> int:
        """A worker that has just started; the one before is ended. Returns its pid."""
        self.stack.up(workers=0)
        self.per_tenant = per_tenant
        self._write_config()
        self.stack.up(workers=1)
        found = [part.pid for part in self.stack.status(ask=False).parts if part.name == "worker-1"]
        if not found or found[0] is None:
            raise BenchError("the worker is not there")
        return found[0]

    def quiet(self) -> None:
        """Wait until the target has no merge to do, for a while."""
        deadline = time.monotonic() + QUIET_SECONDS
        while self.value("select count() from system.merges") and time.monotonic() < deadline:
            time.sleep(0.2)

    def windlass(self, *words: str, codes: tuple[int, ...] = (0,)) -> tuple[str, float]:
        """Run a command: what it printed, and its seconds. BenchError: it failed."""
        argv = [sys.executable, "-m", "windlass.cli", "--config", str(self.config), *words]
        return timed(argv, codes=codes)

    def run(self, table: Table, *words: str, cluster: str = CLUSTER) -> Campaign:
        """Rebuild the table's whole range, whatever was verified before."""
        self.campaigns += 1
        name = f"bench-{self.campaigns}"
        place = self.place(table, cluster)
        _, seconds = self.windlass("run", *place, "--redo", "--yes", "--name", name, *words)
        facts = self.facts(name)
        return Campaign(_wall(facts), seconds, facts)

    @property
    def profiling(self) -> tuple[str, ...]:
        """The words by which `run` tells where its time went; none where it cannot."""
        text, _ = self.windlass("run", "--help")
        return ("--profile",) if "--profile" in text else ()

    def place(self, table: Table, cluster: str = CLUSTER) -> list[str]:
        """The words that name the table's whole range."""
        start, end = (f"{instant:%Y-%m-%d}" for instant in table.span)
        who = "acme" if table.tenants == 1 else "all"
        return [cluster, who, start, end, "--dataset", table.name]

    def facts(self, campaign: str) -> "CampaignFacts":
        """What the ledger says of the campaign."""
        from windlass import wiring

        ledger = wiring.open_ledger(wiring.open_fleet(self.config))
        try:
            return ledger.facts(campaign)
        finally:
            ledger.close()

    def report(self, campaign: str) -> dict[str, Any]:
        """`windlass report --format json`."""
        text, _ = self.windlass("report", campaign, "--format", "json")
        found: dict[str, Any] = json.loads(text)
        return found


def _wall(facts: "CampaignFacts") -> float:
    from windlass.report.model import wall_seconds

    seconds = wall_seconds(facts)
    if not seconds:
        raise BenchError(f"{facts.campaign.name} has no end")
    return seconds


def timed(
    argv: list[str],
    *,
    codes: tuple[int, ...] = (0,),
    env: dict[str, str] | None = None,
    patience: float = PATIENCE,
) -> tuple[str, float]:
    """Run a command to its end: its standard output and its seconds. BenchError: it failed, or
    took longer than `patience`."""
    started = time.monotonic()
    try:
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            timeout=patience,
            check=False,
            env=environment() | (env or {}),
        )
    except subprocess.TimeoutExpired:
        raise BenchError(f"gave up after {patience:.0f} s") from None
    seconds = time.monotonic() - started
    if done.returncode not in codes:
        last = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise BenchError(f"exit code {done.returncode}: {' / '.join(last)}")
    return done.stdout, seconds
