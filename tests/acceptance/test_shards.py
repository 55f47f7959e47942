"""A whole campaign over a Distributed table on two engines: plan, run, crash, undo nothing by hand.

The rows that are there before lie on whichever shard; afterwards each lies where its key says."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client

from tests.acceptance.world import LIVE, TARGET, TARGET_MARKS, World
from tests.target.shards import ShardServer, two_servers
from windlass.localstack.endpoints import Endpoints

KEYS = {"card": "cityHash64(card_id)", "mark": "intDiv(mark_id, 3)"}
COLUMNS = {
    "card": "card_id, customer, profile, kind, amount, score, note, created_at, updated_at",
    "mark": "mark_id, card_id, value, created_at, updated_at",
}


@dataclass
class ShardedWorld(World):
    """The world whose tables are Distributed over a pair of engines."""

    pair: tuple[ShardServer, ShardServer] | None = None

    @property
    def both(self) -> list[Client]:
        """A client of each shard."""
        assert self.pair is not None
        return [clickhouse_connect.get_client(dsn=one.url) for one in self.pair]

    def build(self, exclude: str = "appeals: \"t.kind = 'appeal'\"") -> "ShardedWorld":
        from tests.acceptance.world import SOURCE

        step = 80 * 86400 // self.rows
        self.pg(SOURCE.format(schema=self.name, rows=self.rows, step=step))
        facts = {"engine": self.engine, "partition": self.partition, "extra": self.extra}
        for client in self.both:
            client.command(f"create database {self.db}")
            for text in (TARGET, TARGET_MARKS):
                sql = text.format(**facts, db=self.db, order=self.order) + self.settings
                sql = sql.replace(f"{self.db}.card(", f"{self.db}.card_local(")
                client.command(sql.replace(f"{self.db}.mark(", f"{self.db}.mark_local("))
        for table, key in KEYS.items():
            self.ch.command(
                f"create table {self.db}.{table} as {self.db}.{table}_local "
                f"engine = Distributed(pair, {self.db}, {table}_local, {key})"
            )
        self.fill_target()
        self.write_config(exclude)
        return self

    def fill_target(self) -> None:
        for table, columns in COLUMNS.items():
            names = columns.split(", ")
            rows = self.pg(f"select {columns} from {self.name}.{table}s order by 1")
            for at, client in enumerate(self.both):
                client.insert(f"{self.db}.{table}_local", rows[at::2], column_names=names)

    def write_config(self, exclude: str = "appeals: \"t.kind = 'appeal'\"") -> None:
        super().write_config(exclude)
        assert self.pair is not None
        text = self.config.read_text(encoding="utf-8")
        shards = f'shards: {{"1": "{self.pair[0].url}", shard-two.invalid: "{self.pair[1].url}"}}'
        staging = f'staging_database: "{self.name}_staging"'
        self.config.write_text(text.replace(staging, f"{staging}, {shards}"), encoding="utf-8")

    def live(self, table: str) -> list[tuple[Any, ...]]:
        sql = f"select {LIVE[table]} from {self.db}.{table}_local final"
        return sorted(tuple(row) for client in self.both for row in client.query(sql).result_rows)

    def misplaced(self, table: str) -> int:
        """Rows of the range that lie on another shard than their key says."""
        inside = "created_at >= '2026-01-01' and created_at < '2026-02-20'"
        slots = {0: "= 0", 1: "> 0"}
        return sum(
            int(
                client.query(
                    f"select count() from {self.db}.{table}_local final where {inside} "
                    f"and not (toUInt64({KEYS[table]}) % 3 {slots[at]})"
                ).result_rows[0][0]
            )
            for at, client in enumerate(self.both)
        )

    def staging_tables(self) -> list[str]:
        sql = f"select name from system.tables where database = '{self.name}_staging'"
        return [row[0] for client in self.both for row in client.query(sql).result_rows]

    def close(self) -> None:
        super().close()
        for client in self.both:
            for database in (self.db, f"{self.name}_staging"):
                client.command(f"drop database if exists {database}")


@pytest.fixture
def world(local_stack: Endpoints, tmp_path: Path) -> Iterator[ShardedWorld]:
    shards = tmp_path / "shards"
    shards.mkdir()
    with two_servers(shards) as pair:
        endpoints = replace(local_stack, clickhouse=pair[0].url)
        made = ShardedWorld(endpoints, tmp_path, rows=800, patience=600, pair=pair)
        made.build()
        made.start_worker()
        yield made
        made.close()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_campaign_over_two_shards(world: ShardedWorld) -> None:
    assert world.misplaced("card") > 0
    plan = world.json("plan", world.name, "acme", "2026-01-01", "2026-02-20", "--parts", "2")
    (tenant,) = plan["tenants"]
    card = tenant["publish"]["card"]
    assert any("2 shards of pair" in note for note in card["notes"]), json.dumps(card)
    assert card["path"].startswith("swap")
    found = world.run("--parts", "2")
    assert found["state"] == "done", found
    world.assert_exact()
    assert (world.misplaced("card"), world.misplaced("mark")) == (0, 0)
    assert world.staging_tables() == []
    report = world.report()["card"]
    assert report["unexplained"] == 0
    assert report["verdict"] == "verified"
    assert report["before"] - report["removed"] + report["loaded"] == report["after"]
    verified = world.json("verify", world.name, "acme", "2026-01-01", "2026-02-20")
    assert {one["verdict"] for one in verified["tables"]} == {"verified"}
