"""Undo, seen from outside: old rows come back to the row, or nothing is touched."""

import json
import sqlite3
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.acceptance.conftest import Maker
from tests.acceptance.world import RANGE, World
from windlass.domain.attempt import Attempt
from windlass.domain.undo import mark

JANUARY = ("2026-01-01", "2026-02-01")
TABLES = ("card", "mark")
Rows = dict[str, list[tuple[Any, ...]]]


def rows(world: World) -> Rows:
    return {table: world.live(table) for table in TABLES}


def test_undo_gives_back_the_old_rows_and_a_new_campaign_takes_them_again(
    make_world: Maker,
) -> None:
    world = make_world()
    before = rows(world)
    campaign = world.run(span=JANUARY)["campaign"]
    after = rows(world)
    assert after != before
    assert world.kept_tables()
    told = world.json("undo", campaign, "--reason", "wrong exclusion", "--yes")
    assert told["undone"] is True
    assert rows(world) == before
    assert world.kept_tables() == []
    assert world.staging_tables() == []

    view = world.json("status", campaign, "--windows")
    (tenant,) = view["clusters"][0]["tenants"]
    assert view["state"] == "done"
    assert view["undone_at"] is not None
    assert all(w["undone_at"] and w["state"] == "done" for w in tenant["windows"])
    report = json.loads(world.windlass("report", campaign, "--format", "json").stdout)
    assert [one for one in report["events"] if one["kind"] == "undone"]
    assert "undone" in world.windlass("report", campaign).stdout.lower()

    again = world.windlass("undo", campaign, "--yes")
    assert "undone already" in again.stderr
    assert rows(world) == before
    second = world.run(span=JANUARY)
    assert second["state"] == "done"
    assert sum(c["tenants"][0]["windows_done"] for c in second["clusters"]) > 0
    assert rows(world) == after
    refused = world.windlass("undo", second["campaign"], code=4)
    assert "--yes" in refused.stderr


def test_undo_is_refused_where_live_changed_unless_forced(make_world: Maker) -> None:
    world = make_world()
    before = rows(world)
    campaign = world.run(span=JANUARY)["campaign"]
    world.ch.command(
        f"insert into {world.db}.card select * replace('by hand' as note, now64(6) as updated_at)"
        f" from {world.db}.card final where created_at >= '2026-01-10' order by card_id limit 1"
    )
    changed = rows(world)
    refused = world.windlass("undo", campaign, "--yes", code=4)
    assert "changed" in refused.stdout + refused.stderr
    assert rows(world) == changed
    assert world.kept_tables()
    world.windlass("undo", campaign, "--yes", "--force")
    assert rows(world) == before


@pytest.mark.slow
def test_what_cannot_be_undone_is_refused_and_the_plan_says_so_before(make_world: Maker) -> None:
    world = make_world()
    plan = world.json("plan", world.name, "acme", *RANGE, "--window", "31d")
    (tenant,) = plan["tenants"]
    assert [one["offered"] for one in tenant["undo"]["groups"]] == [True, False]
    assert tenant["undo"]["kept_for"] == "7d"
    assert "undo" in world.windlass("plan", world.name, "acme", *JANUARY).stdout.lower()
    campaign = world.run("--window", "31d")["campaign"]
    after = rows(world)
    refused = world.windlass("undo", campaign, "--yes", code=4)
    assert "in place" in refused.stderr
    assert rows(world) == after
    window = refused.stderr.rpartition("--window ")[2].split()[0]
    assert world.json("undo", campaign, "--window", window, "--yes")["undone"] is True
    back = rows(world)
    assert back["card"] != after["card"]
    assert back == {name: _but_january(world, name, after, back) for name in TABLES}


def _but_january(world: World, table: str, after: Rows, back: Rows) -> list[tuple[Any, ...]]:
    """February as published, January as it is now."""
    at = {"card": 7, "mark": 3}[table]
    first, last = 1767225600_000000, 1769904000_000000
    january = [row for row in back[table] if first <= row[at] < last]
    return sorted([*january, *(row for row in after[table] if not first <= row[at] < last)])


@pytest.mark.slow
def test_a_worker_killed_in_mid_undo_is_followed_by_one_that_ends_it(make_world: Maker) -> None:
    world = make_world(partition="partition by toDate(created_at)", rows=4000)
    before = rows(world)
    campaign = world.run(span=JANUARY)["campaign"]
    undo = subprocess.Popen(
        [*world.argv, "undo", campaign, "--yes"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    wait_for(lambda: begun(world))
    world.workers[-1].kill()
    world.workers[-1].wait(30)
    midway = rows(world)
    world.start_worker()
    out, err = undo.communicate(timeout=120)
    assert undo.returncode == 0, (out, err)
    assert midway != before
    assert rows(world) == before
    assert world.kept_tables() == []


def begun(world: World) -> bool:
    """Whether the undo has begun to touch live."""
    with sqlite3.connect(world.directory / "windlass.db") as ledger:
        found = ledger.execute("select count(*) from steps where step = 'undo'").fetchone()
    return bool(found[0])


def wait_for(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.slow
def test_what_is_kept_goes_when_its_retention_is_over(make_world: Maker) -> None:
    world = make_world()
    campaign = world.run(span=JANUARY)["campaign"]
    assert len(world.kept_tables()) == 2
    text = world.windlass("doctor").stdout
    assert "kept for undo" in text
    world.configure("staging_database", "undo_retention: 0, staging_database")
    world.restart_worker()
    wait_for(lambda: world.kept_tables() == [])
    refused = world.windlass("undo", campaign, "--yes", code=4)
    assert "undo_retention" in refused.stderr
    world.run("--redo", span=JANUARY)
    assert world.kept_tables() == []


@pytest.fixture
def stranger(make_world: Maker) -> World:
    """A world whose staging database holds tables of somebody else."""
    world = make_world()
    world.ch.command(f"create database if not exists {world.name}_staging")
    for name in ("notes", "0123456789abcdef_card_rows_all", "kept_0123456789abcdef_card"):
        world.ch.command(
            f"create table {world.name}_staging.`{name}` (a Int8) engine = MergeTree order by a"
        )
    return world


def test_orphans_are_found_and_removed_and_a_strangers_tables_stay(stranger: World) -> None:
    world, theirs = stranger, set(stranger.staging_tables() + stranger.kept_tables())
    world.run(span=JANUARY)
    kept = set(world.kept_tables()) - theirs
    assert kept
    dead = Attempt("gone", f"gone/{world.db}/20260101-20260201", 3)
    name = f"{dead.token}_card_rows_all"
    for made, owner in ((name, ""), (f"kept_{dead.token}_card", ""), (f"{dead.token}_x", "other")):
        comment = mark(dead, datetime.now(UTC), owner)
        world.ch.command(
            f"create table {world.name}_staging.`{made}` (a Int8) engine = MergeTree order by a "
            f"comment '{comment}'"
        )
    found = world.json("doctor")["findings"]
    (warning,) = [one for one in found if "left over" in one["what"]]
    assert warning["level"] == "warn"
    assert "--clean" in warning["next_step"]
    refused = world.windlass("doctor", "--clean", code=4)
    assert "--yes" in refused.stderr
    gone = world.json("doctor", "--clean", "--yes")["cleaned"]
    assert {one["name"] for one in gone} == {name, f"kept_{dead.token}_card"}
    left = set(world.staging_tables() + world.kept_tables())
    assert left == theirs | kept | {f"{dead.token}_x"}
    assert world.json("doctor", "--clean", "--yes")["cleaned"] == []
