"""A wrong answer is caught before readers could see it: refused by the plan, or parked."""

import threading

import pytest

from tests.acceptance.conftest import Maker
from tests.acceptance.world import World

VALUES = {
    "infinity": (
        "alter table {s}.cards add column extra timestamptz default '2026-01-01Z'",
        "DateTime64(6, 'UTC') default toDateTime64('2026-01-01 00:00:00', 6, 'UTC')",
        "update {s}.cards set extra = 'infinity' where card_id = 3001",
    ),
    "int8 into Int32": (
        "alter table {s}.cards add column extra bigint default 1",
        "Int32 default 1",
        "update {s}.cards set extra = 3000000000 where card_id = 3001",
    ),
    "int[][]": (
        "alter table {s}.cards add column extra int[] default '{{1}}'",
        "Array(Int32) default [1]",
        "update {s}.cards set extra = '{{{{1,2}},{{3,4}}}}' where card_id = 3001",
    ),
    "NULL array": (
        "alter table {s}.cards add column extra int[] default '{{1}}'",
        "Array(Int32) default [1]",
        "update {s}.cards set extra = null where card_id = 3001",
    ),
    "microseconds into DateTime": (
        "alter table {s}.cards add column extra timestamptz default '2026-01-01Z'",
        "DateTime('UTC') default toDateTime('2026-01-01 00:00:00', 'UTC')",
        "update {s}.cards set extra = '2026-01-01 00:00:00.000001Z' where card_id = 3001",
    ),
}


@pytest.mark.parametrize("what", VALUES)
def test_a_value_that_the_target_cannot_hold_is_never_published(
    make_world: Maker, what: str
) -> None:
    world = make_world(rows=6000)
    column, target, change = VALUES[what]
    world.pg(column.format(s=world.name))
    world.ch.command(f"alter table {world.db}.card add column extra {target}")
    world.pg(change.format(s=world.name))
    before = world.live("card")
    found = world.run("--parts", "1", code=1)
    assert found["state"] == "parked"
    assert "extra" in world.windlass("status", "--windows", "-o", "json").stdout
    assert world.live("card") == before
    assert world.staging_tables() == []


def test_a_value_changed_in_staging_before_publish_is_never_published(make_world: Maker) -> None:
    world = make_world(rows=40_000)
    before = world.live("card")
    tampered = threading.Event()
    stop = threading.Event()
    tamperer = threading.Thread(target=tamper, args=(world, tampered, stop))
    tamperer.start()
    try:
        found = world.run("--parts", "1", code=1)
    finally:
        stop.set()
        tamperer.join()
    assert tampered.is_set(), "the test was too slow to tamper: it proves nothing"
    assert found["state"] == "parked"
    assert world.live("card") == before


def tamper(world: World, tampered: threading.Event, stop: threading.Event) -> None:
    """As soon as cards are staged and the marks are being loaded, change one staged card."""
    client = world.ch
    find = (
        "select c.name from system.tables c where c.database = {d:String} "
        "and c.name like '%card_rows%' and c.total_rows > 0 and exists("
        "select 1 from system.tables m where m.database = {d:String} and m.name like '%mark_rows%')"
    )
    while not stop.wait(0.01) and not tampered.is_set():
        for (name,) in client.query(find, parameters={"d": f"{world.name}_staging"}).result_rows:
            client.command(
                f"alter table {world.name}_staging.`{name}` update note = 'forged' "
                "where card_id = 20001 settings mutations_sync = 2"
            )
            tampered.set()
