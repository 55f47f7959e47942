"""The straight line on real engines: each shape of table ends exactly as the source says."""

from typing import Any

import pytest

from tests.acceptance.conftest import Maker
from tests.acceptance.world import World

SHAPES: dict[str, dict[str, Any]] = {
    "monthly": {},
    "daily": {"partition": "partition by toYYYYMMDD(created_at)"},
    "weekly in New York": {
        "partition": "partition by toStartOfWeek(created_at, 1, 'America/New_York')",
        "order": "(created_at, card_id)",
    },
    "no partition": {"partition": ""},
    "plain, monthly": {"engine": "MergeTree", "settings": ""},
    "no patch deletes": {"settings": ""},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_ends_exactly_as_the_source(make_world: Maker, shape: str) -> None:
    world = make_world(**SHAPES[shape])
    found = world.run("--parts", "5")
    assert found["state"] == "done", found
    world.assert_exact()
    assert world.staging_tables() == []
    report = world.report()
    kept, appeals = kept_and_appeals(world)
    card = report["card"]
    assert (card["before"], card["after"]) == (kept + appeals, kept)
    assert card["attributed"] == {"appeals": appeals}
    assert card["before"] - card["removed"] + card["loaded"] == card["after"]
    assert card["unexplained"] == 0
    assert card["verdict"] == "verified"


def kept_and_appeals(world: World) -> tuple[int, int]:
    ((kept, appeals),) = world.pg(
        "select count(*) filter (where kind <> 'appeal'), "
        f"count(*) filter (where kind = 'appeal') from {world.name}.cards "
        "where created_at >= '2026-01-01Z' and created_at < '2026-02-20Z'"
    )
    return kept, appeals
