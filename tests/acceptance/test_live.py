"""A campaign while others write: to the source, and, through an ingestion, to the target.

Afterwards the range must equal the source as of the recorded instant. WINDLASS_TEST_SEED repeats
a run; a failure prints its seed.
"""

import os
import threading
import time
from datetime import UTC, datetime

import psycopg
import pytest

from tests.acceptance.conftest import Maker
from tests.acceptance.inprocess import Campaign
from tests.acceptance.live import Traffic, assert_as_promised
from tests.acceptance.world import World
from windlass.domain.results import TableCounts

SEED = int(os.environ.get("WINDLASS_TEST_SEED", time.time_ns() % 1_000_000))
MONTHS = "partition by toYYYYMM(created_at)"
DAYS = "partition by toYYYYMMDD(created_at)"
SHAPES = {
    "month": {"partition": MONTHS},
    "is_deleted": {
        "partition": MONTHS,
        "engine": "ReplacingMergeTree(updated_at, is_deleted)",
        "extra": ", is_deleted UInt8 default 0",
        "settings": "",
    },
    "day": {"partition": DAYS},
    "no-partition": {"partition": "", "settings": ""},
}
REST = [shape for shape in SHAPES if shape != "month"]
Counts = dict[str, list[TableCounts]]


def exact(counts: Counts) -> dict[str, datetime]:
    """The instant up to which each table's verdict speaks."""
    return {
        table: min(one.exact_as_of for one in groups if one.exact_as_of)
        for table, groups in counts.items()
    }


def under_way(world: World, seed: int, *, slowly: float = 1.0) -> tuple[Traffic, Counts]:
    """A campaign in the midst of traffic, with time between its steps."""
    traffic = Traffic(world, seed, tombstones=bool(world.extra))
    with Campaign.of(world) as campaign:
        with traffic.running():
            campaign.run(lambda _step: time.sleep(slowly))
            time.sleep(1)
        return traffic, campaign.counts()


SLOW = pytest.mark.slow


@pytest.mark.parametrize("shape", ["month", *(pytest.param(s, marks=SLOW) for s in REST)])
def test_the_range_equals_the_source_while_others_write(make_world: Maker, shape: str) -> None:
    world = make_world(worker=False, rows=3000, **SHAPES[shape])
    traffic, counts = under_way(world, SEED)
    told = [(c.table, c.verdict, c.in_flight, c.reason) for one in counts.values() for c in one]
    assert {verdict for _, verdict, _, _ in told} == {"verified"}, (SEED, told)
    excess = assert_as_promised(world, traffic, exact(counts))
    assert len(traffic.taken) > excess, SEED
    assert traffic.counts.get("long"), SEED


@pytest.mark.slow
def test_the_same_by_the_command_line(make_world: Maker) -> None:
    """Several groups at once, each with a moment of its own; the report says which."""
    world = make_world(rows=3000, partition=MONTHS)
    traffic = Traffic(world, SEED)
    with traffic.running():
        found = world.run("--parts", "3", "--accept-removal")
    tables = world.report()
    assert found["state"] == "done", (SEED, tables)
    until = {name: datetime.fromisoformat(one["exact_as_of"]) for name, one in tables.items()}
    assert_as_promised(world, traffic, until)


def told(campaign: Campaign, table: str) -> TableCounts:
    """The record of a table that was published in one group."""
    (counts,) = campaign.counts()[table]
    return counts


@pytest.mark.parametrize("ends", [True, False], ids=["ends", "stays open"])
def test_who_was_writing_before_the_load_is_waited_for(make_world: Maker, *, ends: bool) -> None:
    """Its row carries a version from before the snapshot, and is committed after the publish."""
    world = make_world(worker=False, rows=600, partition=MONTHS)
    new = (
        f"insert into {world.name}.cards values (77777, 'acme', 'voice', 'plain', 1, 1, 'late', "
        "'2026-01-15Z', now())"
    )
    with (
        psycopg.connect(world.endpoints.postgres) as slow,
        Campaign.of(world, patience=30 if ends else 1) as campaign,
    ):
        slow.execute(new)
        commit = threading.Timer(2, slow.commit)

        def published(step: str) -> None:
            if ends and step == "published":
                commit.start()

        campaign.run(published)
        card = told(campaign, "card")
        commit.cancel()
        slow.rollback()
    late = world.ch.query(f"select count() from {world.db}.card final where note = 'late'")
    if ends:
        assert card.verdict == "verified"
        assert late.result_rows == [(1,)]
        world.assert_exact()
        return
    assert card.verdict == "unverified"
    assert "open transactions wrote to the tables" in card.reason
    assert f"windlass verify {world.name} acme/voice 2026-01-01T00:00:00Z" in card.reason


def test_what_came_since_the_snapshot_stays_in_place(make_world: Maker) -> None:
    """In the partition that the range covers in part: neither a newer version of a row nor a row
    that the load never saw is gone for a moment, though the publish comes from before them."""
    world = make_world(worker=False, rows=600, partition=MONTHS)
    changed, new = 500, 88888
    seen: list[list[tuple[object, ...]]] = []

    def look(step: str) -> None:
        if step == "loaded":
            world.pg(
                f"update {world.name}.cards set note = 'newer', updated_at = clock_timestamp(), "
                f"created_at = '2026-02-10Z' where card_id = {changed}"
            )
            world.pg(
                f"insert into {world.name}.cards values ({new}, 'acme', 'voice', 'plain', 1, 1, "
                "'new', '2026-02-11Z', clock_timestamp())"
            )
            rows = world.pg(f"select * from {world.name}.cards where card_id in ({changed}, {new})")
            world.ch.insert(f"{world.db}.card", rows)
        keys = f"card_id in ({changed}, {new}) order by card_id"
        found = world.ch.query(f"select card_id, note from {world.db}.card final where {keys}")
        seen.append([tuple(row) for row in found.result_rows])

    with Campaign.of(world) as campaign:
        campaign.run(look)
        assert told(campaign, "card").verdict == "verified"
        assert told(campaign, "card").unexplained == 0
    assert seen == [[(changed, "newer"), (new, "new")]] * 2
    world.assert_exact()


def test_rows_that_leave_after_the_load_are_named_by_their_keys(make_world: Maker) -> None:
    """One is sold, one deleted, one excluded, and one comes: the count stays nearly as it was."""
    world = make_world(worker=False, rows=600, partition=MONTHS)

    def leave(step: str) -> None:
        if step != "published":
            return
        cards = f"{world.name}.cards"
        stamp = "updated_at = clock_timestamp()"
        world.pg(f"update {cards} set customer = 'globex', {stamp} where card_id = 301")
        world.pg(f"delete from {cards} where card_id = 302")
        world.pg(f"delete from {world.name}.marks where card_id = 302")
        world.pg(f"update {cards} set kind = 'appeal', {stamp} where card_id = 303")
        world.pg(
            f"insert into {cards} values (99999, 'acme', 'voice', 'plain', 1, 1, 'new', "
            "'2026-02-11Z', clock_timestamp())"
        )

    with Campaign.of(world) as campaign:
        campaign.run(leave)
        assert told(campaign, "card").verdict == "verified"
        assert told(campaign, "mark").verdict == "verified"
    traffic = Traffic(world, 0)
    future = dict.fromkeys(("card", "mark"), datetime.max.replace(tzinfo=UTC))
    assert assert_as_promised(world, traffic, future) == 0


@pytest.mark.parametrize("versioned", [True, pytest.param(False, marks=SLOW)])
def test_without_versions_late_rows_end_unverified(make_world: Maker, *, versioned: bool) -> None:
    """Plain MergeTree, and an ingestion that brings a row again after each publish."""
    world = make_world(
        worker=False, rows=300, partition=MONTHS, engine="MergeTree", versioned=versioned
    )

    def again(step: str) -> None:
        if step == "published":
            world.ch.command(
                f"insert into {world.db}.card select * from {world.db}.card "
                "where created_at >= '2026-01-05' and created_at < '2026-02-15' limit 1"
            )

    with Campaign.of(world) as campaign:
        campaign.run(again)
        card, mark = told(campaign, "card"), told(campaign, "mark")
    assert card.verdict == "unverified"
    assert "MergeTree has no version" in card.reason
    assert mark.verdict == "verified"
    with Campaign.of(world) as campaign:
        campaign.run()
        assert told(campaign, "card").verdict == "verified"
    world.assert_exact()
