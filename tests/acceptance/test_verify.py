"""`windlass verify` over data that Windlass never touched: every kind of difference, by key."""

import time
from typing import Any

import pytest

from tests.acceptance.conftest import Maker
from tests.acceptance.world import RANGE, World


@pytest.fixture
def audited(make_world: Maker) -> World:
    """Source and target filled by others; nothing of Windlass has run on them."""
    world: World = make_world(rows=4000, engine="MergeTree", settings="")
    return world


def verify(world: World, *words: str, code: int = 1) -> dict[str, dict[str, Any]]:
    """The tables' outcomes by name."""
    found = world.json("verify", world.name, "acme", *RANGE, *words, code=code)
    return {table["table"]: table for table in found["tables"]}


def settled(world: World) -> None:
    """Bring the target to what the source says, by other means than Windlass."""
    for table, column in (("card", "card_id"), ("mark", "card_id")):
        keep = "created_at >= '2026-01-01' and created_at < '2026-02-20'"
        world.ch.command(
            f"alter table {world.db}.{table} delete where {keep} and {column} % 10 = 0 "
            "settings mutations_sync = 2"
        )


def by_key(table: dict[str, Any], name: str) -> dict[int, dict[str, Any]]:
    """The named keys."""
    return {int(one["key"][name]): one for one in table["keys"]}


def test_equal_tables_are_verified_and_extra_rows_are_explained(audited: World) -> None:
    found = verify(audited, "--keys", "3")
    for table in found.values():
        assert table["verdict"] == "mismatch"
        assert table["extra"] == table["attributed"]["appeals"] > 0
        assert (table["missing"], table["different"], table["in_flight"]) == (0, 0, 0)
        assert [one["reason"] for one in table["keys"]] == ["appeals"] * 3
    settled(audited)
    done = verify(audited, code=0)
    assert {table["verdict"] for table in done.values()} == {"verified"}
    for table in done.values():
        assert table["source_rows"] == table["target_rows"] > 1000
        assert len(table["snapshots"]) == 1
    assert audited.staging_tables() == []


def test_every_difference_is_named_with_columns_and_reasons(audited: World) -> None:
    settled(audited)
    old = "timestamptz '2026-02-21Z'"
    audited.pg(
        f"update {audited.name}.cards set updated_at = {old};"
        f"update {audited.name}.cards set customer = 'globex' where card_id = 1503;"
        f"update {audited.name}.cards set created_at = '2026-03-01Z' where card_id = 1504;"
        f"update {audited.name}.cards set created_at = '2026-02-01Z' where card_id = 1505;"
        f"delete from {audited.name}.cards where card_id = 1506;"
        f"update {audited.name}.cards set note = 'other', amount = 1 where card_id = 1511"
    )
    audited.ch.command(
        f"alter table {audited.db}.card update updated_at = toDateTime64('2026-02-21 00:00:00', 6,"
        " 'UTC') where 1 settings mutations_sync = 2"
    )
    audited.ch.command(
        f"delete from {audited.db}.card where card_id = 1501 settings lightweight_deletes_sync = 2"
    )
    audited.ch.command(
        f"insert into {audited.db}.card select * from {audited.db}.card where card_id = 1502"
    )
    card = verify(audited, "--values")["card"]
    keys = by_key(card, "card_id")
    assert (card["missing"], card["different"], card["extra"]) == (2, 1, 5)
    assert card["in_flight"] == 0
    told = {key: (one["kind"], one["reason"]) for key, one in keys.items() if key != 1505}
    assert told == {
        1501: ("missing", ""),
        1502: ("extra", "the target has 2 rows of this key"),
        1503: ("extra", "the source row belongs to another tenant"),
        1504: ("extra", "the source row's time lies elsewhere"),
        1506: ("extra", "the source has no such row"),
        1511: ("different", ""),
    }
    moved = [one for one in card["keys"] if one["key"]["card_id"] == "1505"]
    assert {(one["kind"], one["reason"]) for one in moved} == {
        ("missing", "it is live under another time"),
        ("extra", "the source row's time lies elsewhere"),
    }
    assert keys[1511]["columns"] == ["amount", "note"]
    assert keys[1511]["values"] == {
        "amount": {"source": "1", "target": "1888.75"},
        "note": {"source": "other", "target": "note 1511"},
    }
    plain = verify(audited)["card"]
    assert all("values" not in one for one in plain["keys"])


def test_a_scheduled_sample_finds_drift_and_doctor_says_so(audited: World) -> None:
    words = ("--last", "400d", "--sample", "50%", "--every", "24h", "--name", "nightly")
    audited.windlass("verify", audited.name, "acme", *words)
    run = first_run(audited)
    assert run["verdict"] == "mismatch"
    assert {table["sampled"]["steps"] for table in run["tables"]} == {20}
    assert all(table["extra"] == table["attributed"]["appeals"] > 0 for table in run["tables"])
    findings = audited.json("doctor", "--cluster", audited.name, code=1)["findings"]
    (finding,) = [one for one in findings if one["level"] == "fail"]
    assert "nightly" in finding["what"]
    assert finding["next_step"] == f"windlass verify {audited.name} acme --last 576000m"
    audited.windlass("verify", audited.name, "acme", *words, code=4)
    audited.windlass("verify", "--unschedule", "nightly")
    assert audited.json("verify", "--schedules") == {"schedules": []}
    audited.windlass("verify", audited.name, "acme", *words)
    audited.windlass("verify", "--unschedule", "nightly")


def first_run(world: World) -> dict[str, Any]:
    """The schedule's first run, once it has ended."""
    deadline = time.monotonic() + 150
    while time.monotonic() < deadline:
        (schedule,) = world.json("verify", "--schedules")["schedules"]
        last: dict[str, Any] = schedule["last"] or {}
        assert not last.get("error"), last
        if last.get("verdict"):
            return last
        time.sleep(0.5)
    raise AssertionError("the schedule did not run")


def test_affected_writes_the_campaign_that_takes_the_rows_out(make_world: Maker) -> None:
    world: World = make_world(rows=4000)
    file = world.directory / "appeals.yaml"
    asked = ("affected", world.name, "acme", *RANGE, "--exclusion", "appeals")
    (holding,) = world.json(*asked, "--out", str(file))["tenants"]
    assert holding["rows"] > 0
    done = world.json("run", "-f", str(file), "--yes")
    assert done["state"] == "done"
    assert world.json("report")["reason"] == "take out rows that exclusion appeals keeps out"
    assert world.json(*asked)["tenants"] == []
    world.assert_exact()
    assert {t["verdict"] for t in verify(world, code=0).values()} == {"verified"}
