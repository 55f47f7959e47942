"""The same campaign again, a changed definition, modes, guards: what holds is known."""

from tests.acceptance.conftest import Maker
from tests.acceptance.world import World


def test_what_is_verified_is_not_done_again_until_something_changes(make_world: Maker) -> None:
    world = make_world(rows=2000)
    assert world.run("--parts", "2")["state"] == "done"
    live = world.live("card")

    again = world.windlass("run", world.name, "acme", "2026-01-01", "2026-02-20", "--yes")
    assert "verified" in again.stderr + again.stdout
    plan = world.json("plan", world.name, "acme", "2026-01-01", "2026-02-20")
    assert plan["total_windows"] == 0
    assert world.live("card") == live

    world.write_config('appeals: "t.kind = \'appeal\'", odd: "t.card_id % 2 = 1"')
    plan = world.json("plan", world.name, "acme", "2026-01-01", "2026-02-20")
    assert plan["total_windows"] > 0

    world.write_config()
    redone = world.run("--redo", "--parts", "2")
    assert redone["state"] == "done"
    assert world.live("card") == live
    world.assert_exact()


def test_a_changed_source_makes_only_its_window_stale(make_world: Maker) -> None:
    world = make_world(rows=2000, partition="partition by toYYYYMMDD(created_at)")
    world.run("--window", "10d")
    world.pg(
        f"update {world.name}.cards set note = 'changed', updated_at = '2026-03-05Z' "
        "where created_at >= '2026-01-12Z' and created_at < '2026-01-13Z'"
    )
    plan = world.json("plan", world.name, "acme", "2026-01-01", "2026-02-20", "--window", "10d")
    windows = [w["start"][:10] for t in plan["tenants"] for w in t["windows"]]
    assert windows == ["2026-01-11"]
    world.run("--window", "10d")
    world.assert_exact()


def test_a_source_that_is_suddenly_empty_parks_and_the_operators_word_releases(
    make_world: Maker,
) -> None:
    world = make_world(rows=2000)
    before = world.live("card")
    world.pg(f"create table {world.name}.kept as select * from {world.name}.cards")
    world.pg(
        f"delete from {world.name}.cards where created_at between '2026-01-01Z' and '2026-02-20Z'"
    )
    world.pg(f"delete from {world.name}.marks")
    found = world.run("--parts", "1", code=1)
    assert found["state"] == "parked"
    assert world.live("card") == before
    assert "--accept-removal" in world.windlass("status", "-o", "json").stdout
    assert world.run("--parts", "1", "--accept-removal")["state"] == "done"
    assert [row for row in world.live("mark") if in_range(row[3])] == []


def test_append_adds_and_never_removes(make_world: Maker) -> None:
    world = make_world(rows=2000)
    world.ch.command(f"truncate table {world.db}.card")
    world.ch.command(f"truncate table {world.db}.mark")
    found = world.run("--mode", "append", "--parts", "3")
    assert found["state"] == "done"
    assert len(world.live("card")) == kept(world)


def test_delete_wants_the_name_and_the_number(make_world: Maker) -> None:
    world = make_world(rows=2000)
    refused = world.windlass(
        "run", world.name, "acme", "2026-01-01", "2026-02-20", "--mode", "delete", "--yes", code=4
    )
    option = next(w for w in refused.stderr.split() if ":" in w and w[-1].isdigit() and "-" in w)
    assert world.run("--mode", "delete", "--confirm", option)["state"] == "done"
    assert [row for row in world.live("card") if in_range(row[7])] == []
    assert len(world.live("card")) > 0


def in_range(micros: int) -> bool:
    return 1767225600 <= micros / 1e6 < 1771545600


def kept(world: World) -> int:
    rows = world.pg(
        f"select count(*) from {world.name}.cards where kind <> 'appeal' and "
        "created_at >= '2026-01-01Z' and created_at < '2026-02-20Z'"
    )
    return int(rows[0][0])
