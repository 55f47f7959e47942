"""Readers count and sum in a loop, with FINAL, through a whole campaign over a source at rest. Live
beforehand: stale rows, missing ones, changed ones, superseded and outranking versions."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from clickhouse_connect.driver.client import Client

from tests.acceptance.conftest import Maker
from tests.acceptance.inprocess import Campaign
from tests.acceptance.world import RANGE, World
from windlass.domain.schema import Removal
from windlass.domain.states import Path

MONTHS = "partition by toYYYYMM(created_at)"
Seen = set[tuple[int, int]]


def spoil(world: World) -> None:
    """What years of appends and hand repairs leave behind; all versions are old."""
    card = f"{world.db}.card"
    world.ch.command(f"alter table {card} delete where card_id % 11 = 5 settings mutations_sync=2")
    for change in (
        "note || ' old' as note, updated_at - interval 1 day as updated_at",
        "note || ' outranks' as note, updated_at + interval 1 hour as updated_at",
        "card_id + 5000000 as card_id",
    ):
        world.ch.command(f"insert into {card} select * replace ({change}) from {card} final "
                         "where card_id % 13 = 7")  # fmt: skip


class Watched:
    """One stretch of the range, asked again and again."""

    def __init__(self, world: World, start: str, end: str) -> None:
        self.world, self.seen = world, Seen()
        self.between = Seen()
        final = "final" if "Replacing" in world.engine else ""
        self._sql = (
            f"select count(), sum(length(note)) from {world.db}.card {final} where "
            f"created_at >= '{start}' and created_at < '{end}'"
        )

    def look(self, client: Client) -> tuple[int, int]:
        """What a reader sees right now."""
        ((rows, total),) = client.query(self._sql).result_rows
        self.seen.add((rows, total))
        return rows, total


@contextmanager
def readers(*watched: Watched) -> Iterator[None]:
    """One thread per stretch, as fast as it can."""
    stop = threading.Event()

    def read(one: Watched) -> None:
        client = one.world.ch
        while not stop.wait(0.002):
            one.look(client)

    threads = [threading.Thread(target=read, args=(one,)) for one in watched]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def rebuilt(world: World, *stretches: tuple[str, str]) -> tuple[list[Watched], Campaign]:
    """Watch the stretches through a campaign; each must end in another state than it began."""
    watched = [Watched(world, *stretch) for stretch in stretches]
    with Campaign.of(world) as campaign:
        old = [one.look(world.ch) for one in watched]
        with readers(*watched):
            campaign.run()
        new = [one.look(world.ch) for one in watched]
        assert all(was != now for was, now in zip(old, new, strict=True))
        for one, was, now in zip(watched, old, new, strict=True):
            one.between = one.seen - {was, now}
        assert {c.verdict for group in campaign.counts().values() for c in group} == {"verified"}
        return watched, campaign


def test_whole_partitions_show_old_or_new(make_world: Maker) -> None:
    world = make_world(worker=False, rows=1500, partition=MONTHS)
    spoil(world)
    (january,), _ = rebuilt(world, ("2026-01-01", "2026-02-01"))
    assert january.between == set()


def test_edges_with_patch_deletes_show_what_is_right_or_what_was(make_world: Maker) -> None:
    """In place there are two steps, each at once: what is new comes, what is stale goes."""
    world = make_world(worker=False, rows=1500, partition=MONTHS)
    spoil(world)
    (edge,), campaign = rebuilt(world, ("2026-02-01", RANGE[1]))
    (tenant,) = campaign.plan.tenants
    planned = tenant.table("card")
    assert planned.removal is Removal.PATCH
    assert "in two steps" in planned.promise
    assert planned.alternative.startswith("let START and END lie between partitions")
    assert len(edge.between) <= 1, edge.between


@pytest.mark.parametrize(
    ("options", "path", "names"),
    [
        ({"settings": ""}, Path.IN_PLACE, "enable_block_number_column"),
        ({"engine": "MergeTree", "settings": ""}, Path.DELETE_AND_INSERT, "ReplacingMergeTree"),
    ],
)
def test_the_plan_names_what_would_promise_more(
    make_world: Maker, options: dict[str, str], path: Path, names: str
) -> None:
    world = make_world(worker=False, rows=1000, partition=MONTHS, **options)
    with Campaign.of(world) as campaign:
        planned = campaign.plan.tenants[0].table("card")
    assert planned.edge_path is path
    assert names in planned.alternative
    assert "partitions of toYYYYMM(created_at) (of this range 2026-01-01 .. 2026-02-01)" in (
        planned.alternative
    )
