"""A campaign while others write: to the source, and, through an ingestion, to the target.

Afterwards the range must equal the source as of the recorded instant. WINDLASS_TEST_SEED repeats
a run; a failure prints its seed.
"""

import os
import time
from datetime import datetime

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


@pytest.mark.parametrize("shape", SHAPES)
def test_the_range_equals_the_source_while_others_write(make_world: Maker, shape: str) -> None:
    world = make_world(worker=False, rows=3000, **SHAPES[shape])
    traffic, counts = under_way(world, SEED)
    told = [(c.table, c.verdict, c.in_flight, c.reason) for one in counts.values() for c in one]
    assert {verdict for _, verdict, _, _ in told} == {"verified"}, (SEED, told)
    excess = assert_as_promised(world, traffic, exact(counts))
    assert len(traffic.taken) > excess, SEED
    assert traffic.counts.get("long"), SEED
