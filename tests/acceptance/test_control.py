"""Pause, limit and cancel take effect within five seconds while windows load, on real servers."""

import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from typer.testing import CliRunner

from tests.acceptance.conftest import Maker
from tests.acceptance.world import World
from windlass.cli.main import app
from windlass.domain.record import WindowView
from windlass.domain.states import State
from windlass.ledger import open_ledger
from windlass.ledger.store import SqlLedger

SECONDS = 5.0


def within(seconds: float, true: Callable[[], bool]) -> None:
    """Fails unless it becomes true in time."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.05)


@dataclass
class Fleet:
    """A campaign of 24 windows, seen through its ledger."""

    world: World
    ledger: SqlLedger
    name: str

    def order(self, *words: str, code: int = 0) -> None:
        """In this process: a start of the command line takes longer than what it is about."""
        verb, *rest = words
        line = ["--config", str(self.world.config), verb, self.name, *rest, "--reason", "a test"]
        done = CliRunner().invoke(app, line)
        assert done.exit_code == code, done.output

    @property
    def state(self) -> State:
        return self.ledger.status(self.name).state

    @property
    def windows(self) -> tuple[WindowView, ...]:
        return self.ledger.status(self.name, windows=True).tenants[0].windows

    def loading(self) -> int:
        """Windows that are read now: begun, and not loaded yet."""
        with sqlite3.connect(self.world.directory / "windlass.db") as connection:
            query = "select count(*) from windows where state = 'running' and loaded_at is null"
            return int(connection.execute(query).fetchone()[0])

    def begun(self) -> int:
        return sum(w.attempts for w in self.windows)

    def statements(self) -> int:
        """What either server runs for us now."""
        ours = self.world.pg(
            "select count(*) from pg_stat_activity "
            "where application_name like 'windlass:%' and state <> 'idle'"
        )
        found = self.world.ch.query(
            "select count() from system.processes "
            "where Settings['log_comment'] like 'windlass/%' "
            "and Settings['log_comment'] not like 'windlass/look%'"
        )
        return int(ours[0][0]) + int(found.result_rows[0][0])


def start(world: World) -> Fleet:
    clickhouse = f'target: {{url: "{world.endpoints.clickhouse}"'
    limits = "limits: {windows: 8, windows_per_tenant: 8}"
    world.configure(clickhouse, f"{limits}\n    {clickhouse}")
    world.start_worker()
    name = f"{world.name}-c"
    span = ("2026-01-01", "2026-02-01", "--parts", "24", "--window", "none")
    world.windlass("run", world.name, "acme", *span, "--name", name, "--yes", "--detach", code=3)
    return Fleet(world, open_ledger(f"sqlite:///{world.directory}/windlass.db"), name)


def test_orders_take_effect_while_windows_load(make_world: Maker) -> None:
    fleet = start(make_world(rows=30_000, worker=False))
    fleet.order("pause")
    within(SECONDS, lambda: fleet.state is State.PAUSED)
    left = sum(w.attempts == 0 for w in fleet.windows)
    assert left > 9, "it was over too soon: the test proves nothing"

    fleet.order("limit", "windows=4", "rows_per_second=50")
    fleet.order("resume")
    within(SECONDS, lambda: fleet.loading() == 4)
    fleet.order("limit", "windows=8")
    within(SECONDS, lambda: fleet.loading() == 8)

    fleet.order("pause")
    within(SECONDS, lambda: fleet.state is State.PAUSING)
    begun = fleet.begun()
    fleet.order("limit", "rows_per_second=none")
    within(SECONDS, lambda: fleet.state is State.PAUSED)
    assert fleet.begun() == begun, "nothing began while it was paused"
    assert not any(w.state is State.DONE for w in fleet.windows), "publish waits"

    fleet.order("limit", "rows_per_second=50")
    fleet.order("resume")
    within(SECONDS, lambda: fleet.loading() == 8 and fleet.statements() > 0)
    with ThreadPoolExecutor(1) as aside:
        cancelling = aside.submit(fleet.order, "cancel", "--yes")
        within(SECONDS, lambda: fleet.state in {State.CANCELLING, State.CANCELLED})
        within(SECONDS, lambda: fleet.statements() == 0)
        cancelling.result()
    assert fleet.state is State.CANCELLED
    assert fleet.statements() == 0
    assert fleet.world.staging_tables() == []
    verbs = [one.verb for one in fleet.ledger.facts(fleet.name).actions]
    assert verbs == [
        "pause",
        "limit",
        "resume",
        "limit",
        "pause",
        "limit",
        "limit",
        "resume",
        "cancel",
    ]


@pytest.mark.slow
def test_parked_work_is_cut_and_retried_until_it_is_exact(make_world: Maker) -> None:
    world = make_world(rows=6_000)
    gone = "card_id % 9 = 1 and created_at >= '2026-01-05' and created_at < '2026-02-10'"
    world.pg(
        f"delete from {world.name}.marks where card_id in "
        f"(select card_id from {world.name}.cards where {gone})"
    )
    world.pg(f"delete from {world.name}.cards where {gone}")
    found = world.run("--window", "none", code=1)
    name = found["campaign"]
    assert found["state"] == "parked"
    needy = world.json("status", "--needs-me")
    assert f"windlass retry {name}" in str(needy["needs_me"])

    told = world.json("split", name, "--tenant", "acme", "--into", "5d", "--reason", "a test")
    assert told["windows_after"] > told["windows_before"]
    world.windlass("watch", name, code=1)
    windows = world.json("status", name, "--windows")["clusters"][0]["tenants"][0]["windows"]
    live = [one for one in windows if not one["replaced"]]
    assert len(live) == told["windows_after"]
    assert {one["state"] for one in live} == {"parked", "done"}, "each partition by itself"
    old = {one["id"] for one in windows if one["replaced"]}
    assert {one["parent"] for one in live} == old
    assert "a test" in world.json("why", live[0]["id"])["text"]

    world.windlass("retry", name, "--accept-removal", "--reason", "the customer agreed")
    world.windlass("watch", name)
    world.assert_exact()
    assert world.staging_tables() == []
