"""A target that falls ill slows a campaign down, says why with its own figure, and lets it go."""

import sqlite3
import time
from collections.abc import Callable

from typer.testing import CliRunner

from tests.acceptance.conftest import Maker
from tests.acceptance.world import World
from windlass.cli.main import app
from windlass.ledger import open_ledger
from windlass.ledger.store import SqlLedger

PARTS = 60


def within(seconds: float, true: Callable[[], bool], what: str) -> None:
    """Fails unless it becomes true in time."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, what
        time.sleep(0.1)


def loading(world: World) -> int:
    """Windows that are read now: begun, and not loaded yet."""
    with sqlite3.connect(world.directory / "windlass.db") as connection:
        query = "select count(*) from windows where state = 'running' and loaded_at is null"
        return int(connection.execute(query).fetchone()[0])


def limit(world: World, campaign: str, words: str) -> None:
    line = ["--config", str(world.config), "limit", campaign, words]
    done = CliRunner().invoke(app, line)
    assert done.exit_code == 0, done.output


def start(world: World) -> tuple[SqlLedger, str]:
    """A campaign of 24 windows, four at once, that takes a minute and a half."""
    clickhouse = f'target: {{url: "{world.endpoints.clickhouse}"'
    health = "health: {clickhouse_parts: [40, 5000], postgres_latency: null}"
    limits = f"limits: {{windows: 4, windows_per_tenant: 4, rows_per_second: 400, {health}}}"
    world.configure(clickhouse, f"{limits}\n    {clickhouse}")
    world.start_worker()
    name = f"{world.name}-c"
    span = ("2026-01-01", "2026-02-01", "--parts", "24", "--window", "none")
    world.windlass("run", world.name, "acme", *span, "--name", name, "--yes", "--detach", code=3)
    return open_ledger(f"sqlite:///{world.directory}/windlass.db"), name


def foreign_inserts(world: World) -> None:
    """Others write rows that are there already, before the range, and no merge keeps up."""
    world.ch.command(f"system stop merges {world.db}.card")
    for _ in range(PARTS):
        world.ch.command(
            f"insert into {world.db}.card select * from {world.db}.card final "
            "where created_at < '2025-12-31' limit 1"
        )


def recover(world: World) -> None:
    world.ch.command(f"system start merges {world.db}.card")
    world.ch.command(f"optimize table {world.db}.card partition 202512 final")


def test_parts_slow_a_campaign_down_until_they_are_merged(make_world: Maker) -> None:
    world = make_world(rows=20_000, worker=False)
    ledger, name = start(world)

    def limited() -> str:
        return ledger.status(name).clusters[0].limited_by

    within(15, lambda: loading(world) == 4, "it never loaded four windows")
    assert limited() == ""
    foreign_inserts(world)
    within(20, lambda: loading(world) <= 2 and bool(limited()), "it did not slow down")
    said, _, windows = limited().partition("; ")
    assert said.startswith("clickhouse parts ")
    figure = int(said.split()[2])
    assert figure >= PARTS
    assert said.endswith(">= 40")
    assert windows in {"1 of 4 windows", "2 of 4 windows"}
    shown = world.json("status", name)
    assert shown["limited_by"].startswith("clickhouse parts ")

    recover(world)
    within(30, lambda: limited() == "" and loading(world) == 4, "it did not come back")
    kinds = [event.kind for event in ledger.events(name)]
    assert kinds.count("throttled") == kinds.count("throttle ended") == 1
    told = next(event.text for event in ledger.events(name) if event.kind == "throttled")
    assert f"{world.db}.card partition 202512" in told
    world.windlass("cancel", name, "--yes", "--reason", "seen enough")
