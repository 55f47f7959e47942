"""Trouble in the middle of a run: killed workers, moving rows, cancellation."""

import os
import signal
import threading
from collections.abc import Callable

from tests.acceptance.conftest import Maker
from tests.acceptance.world import World


def watching(
    world: World, sql: str, act: Callable[[], None]
) -> tuple[threading.Thread, threading.Event]:
    """Act once, as soon as the query finds something in the target."""
    stop = threading.Event()

    def watch() -> None:
        client = world.ch
        while not stop.wait(0.02):
            if client.query(sql, parameters={"d": f"{world.name}_staging"}).result_rows:
                act()
                return

    thread = threading.Thread(target=watch)
    thread.start()
    return thread, stop


STAGED = "select 1 from system.tables where database = {d:String} and total_rows > 0"


def test_a_killed_worker_costs_time_and_nothing_else(make_world: Maker) -> None:
    world = make_world(rows=20_000)
    world.start_worker()
    kill = lambda: os.kill(world.workers[0].pid, signal.SIGKILL)  # noqa: E731
    thread, stop = watching(world, STAGED, kill)
    try:
        found = world.run("--parts", "5")
    finally:
        stop.set()
        thread.join()
    assert world.workers[0].poll() == -signal.SIGKILL
    assert found["state"] == "done"
    world.assert_exact()
    card = world.report()["card"]
    assert card["delta"] == -card["attributed"]["appeals"]
    assert world.staging_tables() == []


def test_rows_that_move_between_windows_and_new_exclusions_during_the_load(
    make_world: Maker,
) -> None:
    world = make_world(rows=20_000)

    def move() -> None:
        world.pg(
            f"update {world.name}.cards set created_at = created_at + interval '20 days', "
            "updated_at = clock_timestamp() where card_id % 500 = 1 and "
            "created_at >= '2026-01-02Z' and created_at < '2026-01-20Z'"
        )
        world.pg(
            f"update {world.name}.cards set kind = 'appeal', updated_at = clock_timestamp() "
            "where card_id % 500 = 2 and created_at between '2026-01-02Z' and '2026-02-19Z'"
        )
        world.pg(
            f"delete from {world.name}.cards where card_id % 1000 = 3 and created_at between "
            "'2026-01-02Z' and '2026-02-19Z'"
        )
        world.pg(
            f"delete from {world.name}.marks m where not exists (select 1 from "
            f"{world.name}.cards c where c.card_id = m.card_id)"
        )

    thread, stop = watching(world, STAGED, move)
    try:
        found = world.run("--parts", "5")
    finally:
        stop.set()
        thread.join()
    assert found["state"] == "done", found
    world.assert_exact()


def test_stale_rows_with_higher_versions_do_not_win(make_world: Maker) -> None:
    world = make_world(
        rows=4000,
        partition="partition by toStartOfWeek(created_at, 1, 'America/New_York')",
        order="(created_at, card_id)",
    )
    world.ch.command(
        f"insert into {world.db}.card select * replace('stale' as note, "
        f"updated_at + interval 1 hour as updated_at) from {world.db}.card where card_id % 50 = 0"
    )
    world.ch.command(
        f"insert into {world.db}.card select * replace(created_at + interval 1 day as created_at) "
        f"from {world.db}.card where card_id % 70 = 0 and created_at >= '2026-01-05' "
        "and created_at < '2026-02-10'"
    )
    assert world.run("--parts", "5")["state"] == "done"
    inside = "where created_at >= '2026-01-01' and created_at < '2026-02-20'"
    stale = world.ch.query(f"select count() from {world.db}.card final {inside} and note = 'stale'")
    assert stale.result_rows == [(0,)]
    assert world.windlass("verify", world.name, "acme", "2026-01-01", "2026-02-20").returncode == 0


def test_cancel_leaves_no_statement_of_ours(make_world: Maker) -> None:
    world = make_world(rows=40_000)
    world.windlass(
        "run",
        world.name,
        "acme",
        "2026-01-01",
        "2026-02-20",
        "--parts",
        "5",
        "--yes",
        "--detach",
        code=3,
    )
    name = world.json("status")["campaign"]
    world.windlass("cancel", name, "--yes", "--reason", "a test", code=None)
    state = world.json("status")["state"]
    assert state in {"cancelled", "done"}
    ours = world.ch.query(
        "select count() from system.processes where Settings['log_comment'] like 'windlass/%' "
        "and Settings['log_comment'] not like 'windlass/look%'"
    )
    assert ours.result_rows == [(0,)]
    sessions = world.pg(
        "select count(*) from pg_stat_activity where application_name like "
        "'windlass:%' and state = 'active'"
    )
    assert sessions == [(0,)]
    assert world.staging_tables() == []
