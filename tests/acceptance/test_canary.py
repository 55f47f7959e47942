"""A canary on one cluster holds back a tenant of another, on real servers, and lets it go; what was
published and is not verified is retried."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.acceptance.conftest import Maker
from tests.acceptance.world import RANGE, SOURCE, TARGET, TARGET_MARKS, World

CAMPAIGN = """\
name: careful
reason: appeals must go
clusters: [{name}, {name}-b]
tenants: [acme, globex]
start: {start}
end: {end}
canary: acme/voice
"""


@pytest.fixture
def two(make_world: Maker) -> Iterator[World]:
    """acme on one cluster, whose live table holds rows that nobody can explain; globex on another
    cluster, in a source of its own; a third one whose source lets nobody in. One worker."""
    world = make_world(worker=False, rows=2000)
    other = f"{world.name}_other"
    world.pg(f"create database {other}")
    url = f"{world.endpoints.postgres.rpartition('/')[0]}/{other}"
    with psycopg.connect(url, autocommit=True) as source:
        source.execute(SOURCE.format(schema=world.name, rows=2000, step=80 * 86400 // 2000))
        source.execute(f"update {world.name}.cards set customer = 'globex'")
    target = f"{world.name}_globex_voice"
    world.ch.command(f"create database {target}")
    facts = {"engine": world.engine, "partition": world.partition, "extra": ""}
    world.ch.command(TARGET.format(db=target, order="card_id", **facts) + world.settings)
    world.ch.command(TARGET_MARKS.format(db=target, **facts) + world.settings)
    text = world.config.read_text()
    mine = text.partition("clusters:\n")[2].partition("datasets:")[0]
    theirs = mine.replace(f"{world.name}:", f"{world.name}-b:", 1)
    theirs = theirs.replace(world.endpoints.postgres, url)
    closed = mine.replace(f"{world.name}:", f"{world.name}-c:", 1)
    closed = closed.replace("postgresql://", "postgresql://nobody-", 1)
    world.configure("datasets:", f"{theirs}{closed}datasets:")
    inside = "created_at >= '2026-01-02Z' and created_at < '2026-02-19Z'"
    world.pg(f"delete from {world.name}.marks where card_id % 5 = 1 and {inside}")
    world.start_worker("all")
    yield world
    world.close()
    world.ch.command(f"drop database if exists {target}")
    world.pg(f"drop database if exists {other} with (force)")


def seen(world: World, true: Callable[[dict[str, Any]], bool], seconds: float = 90) -> Any:
    """The first status for which that is so."""
    until = time.monotonic() + seconds
    while not true(told := world.json("status", "careful")):
        assert time.monotonic() < until, json.dumps(told, indent=1)
        time.sleep(0.5)
    return told


def tenants(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {t["customer"]: t for c in told["clusters"] for t in c["tenants"]}


@pytest.mark.slow
def test_the_rest_waits_for_a_parked_canary_and_goes_on_by_itself(two: World) -> None:
    file: Path = two.directory / "campaign.yaml"
    file.write_text(CAMPAIGN.format(name=two.name, start=RANGE[0], end=RANGE[1]))
    two.json("run", "-f", str(file), "--yes", "--detach", code=3)
    told = seen(two, lambda view: tenants(view)["acme"]["state"] == "parked")
    globex = tenants(told)["globex"]
    assert (globex["state"], globex["attempts"]) == ("queued", 0)
    assert globex["note"] == f"waiting for canary {two.name}/acme/voice (parked)"
    assert told["limited_by"] == f"{two.name}-b: {globex['note']}"
    assert told["state"] == "partial"
    assert told["coverage"]["waiting"] == told["coverage"]["parked"] == 1
    assert told["coverage"]["accounted"] == told["coverage"]["found"]
    two.json("retry", "careful", "--tenant", "acme", "--accept-removal")
    told = seen(two, lambda view: view["state"] == "done")
    assert told["verdict"] == "verified"
    assert told["coverage"]["done"] == 2
    two.assert_exact()
    report = two.json("report", "careful")
    begun = [e["text"] for e in report["events"] if e["kind"] == "canary"]
    assert begun == ["every canary is verified: the rest begins"]
    ends = {t["customer"]: (t["started_at"], t["ended_at"]) for t in tenants(told).values()}
    assert ends["acme"][1] < ends["globex"][0], "globex began when acme had ended"
    again = two.json("run", "-f", str(file), "--name", "again", "--yes")
    assert (again["state"], again["campaign"]) == ("done", None)
    skipped = {(h["cluster"], h["reason"]) for h in again["held"]}
    assert skipped == {(c, "unchanged on both sides") for c in (two.name, f"{two.name}-b")}
    assert again["coverage"]["done"] == 2
    everywhere = two.json("plan", "all", "acme,globex", *RANGE, code=1)
    assert [one["cluster"] for one in everywhere["unknown"]] == [f"{two.name}-c"]
    assert {t["state"] for t in everywhere["tenants"]} == {"held"}


@pytest.mark.slow
def test_what_is_not_verified_is_retried_and_can_still_be_undone(make_world: Maker) -> None:
    world = make_world(rows=2000)
    before = january(world)
    name = world.run()["campaign"]
    assert january(world) != before
    first = world.report()
    with sqlite3.connect(world.directory / "windlass.db") as ledger:
        ledger.execute("update windows set verdict = 'mismatch'")
    told = world.json("retry", name)
    assert {change["from"] for change in told["changes"]} == {"done"}
    until = time.monotonic() + 90
    while (view := world.json("status"))["state"] != "done":
        assert time.monotonic() < until, view
        time.sleep(0.5)
    assert view["verdict"] == "verified"
    world.assert_exact()
    for table, figures in world.report().items():
        kept = ("before", "removed", "loaded", "after", "attributed", "unexplained")
        assert [figures[key] for key in kept] == [first[table][key] for key in kept]
    assert "nothing to retry" in world.windlass("retry", name, code=4).stderr
    window = f"{name}/{world.db}/20260101-20260201"
    assert world.json("undo", name, "--window", window, "--yes")["undone"] is True
    assert january(world) == before, "as it was before the first publish, not before the second"


def january(world: World) -> set[tuple[Any, ...]]:
    """Live cards of the month whose partition is whole."""
    inside = "toYYYYMM(created_at) = 202601"
    sql = f"select card_id, kind, updated_at from {world.db}.card final where {inside}"
    return {tuple(row) for row in world.ch.query(sql).result_rows}
