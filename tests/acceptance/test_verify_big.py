"""Five million rows: equal, and with nine that differ; and a worker killed over them. Prints times.

pytest -m slow -s tests/acceptance/test_verify_big.py
"""

import signal
import threading
import time
from typing import Any

import pytest

from tests.acceptance.conftest import Maker
from tests.acceptance.world import RANGE, World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

ROWS = 5_000_000
SOURCE = """
alter table {s}.cards set (autovacuum_enabled = false);
insert into {s}.cards
select g, 'acme', 'voice', 'plain', (g % 10000) * 0.25, g / 3.0, 'note ' || g,
  timestamptz '2026-01-01Z' + (g - 1000000) * interval '800 milliseconds',
  timestamptz '2026-02-25Z' + g * interval '1 millisecond'
from generate_series(1000000, {last}) g;
vacuum analyze {s}.cards;
"""
TARGET = """
insert into {db}.card
select number + 1000000 as g, 'acme', 'voice', 'plain', toDecimal64((g % 10000) * 0.25, 2), g / 3.0,
  concat('note ', toString(g)),
  toDateTime64('2026-01-01', 6, 'UTC') + toIntervalMillisecond((g - 1000000) * 800),
  toDateTime64('2026-02-25', 6, 'UTC') + toIntervalMillisecond(g)
from numbers({rows})
"""
NINE = {
    ("different", 1_000_007),
    ("different", 3_456_789),
    ("different", 5_999_000),
    ("missing", 2_000_001),
    ("missing", 4_000_001),
    ("extra", 2_500_000),
    ("extra", 2_500_001),
    ("extra", 5_500_000),
    ("extra", 1_500_000),
}


@pytest.fixture
def big(make_world: Maker) -> World:
    """Five million cards on both sides, written by each server itself."""
    world: World = make_world(rows=100, engine="MergeTree", settings="")
    world.write_config(exclude="")
    for table in ("cards", "marks"):
        world.pg(f"truncate {world.name}.{table}")
    for table in ("card", "mark"):
        world.ch.command(f"truncate table {world.db}.{table}")
    last = 1_000_000 + ROWS - 1
    for statement in SOURCE.format(s=world.name, last=last).split(";"):
        if statement.strip():
            world.pg(statement)
    world.ch.command(TARGET.format(db=world.db, rows=ROWS))
    return world


def verify(world: World, code: int, *words: str) -> tuple[dict[str, Any], float]:
    """The outcome of `card`, and the seconds that the command took."""
    begun = time.monotonic()
    found = world.json("verify", world.name, "acme", *RANGE, *words, code=code)
    (card,) = [table for table in found["tables"] if table["table"] == "card"]
    return card, time.monotonic() - begun


def test_nine_rows_out_of_five_million_are_named(big: World) -> None:
    card, seconds = verify(big, 0)
    print(f"\n{ROWS:,} equal rows: {seconds:.1f} s")  # noqa: T201
    assert card["source_rows"] == card["target_rows"] == ROWS
    spoil(big)
    card, seconds = verify(big, 1)
    print(f"{ROWS:,} rows, 9 of them different: {seconds:.1f} s")  # noqa: T201
    named = {(one["kind"], int(one["key"]["card_id"])) for one in card["keys"]}
    assert named == NINE
    assert (card["missing"], card["extra"], card["different"]) == (2, 4, 3)
    assert all(one["columns"] == ["note"] for one in card["keys"] if one["kind"] == "different")
    killed_over(big)


def spoil(world: World) -> None:
    """Three rows changed, two missing, four extra."""
    keys = {kind: [str(key) for one, key in NINE if one == kind] for kind, _ in NINE}
    listed = {kind: ", ".join(some) for kind, some in keys.items()}
    card, cards = f"{world.db}.card", f"{world.name}.cards"
    world.ch.command(
        f"alter table {card} update note = 'spoilt' where card_id in ({listed['different']}) "
        "settings mutations_sync = 2"
    )
    world.ch.command(f"delete from {card} where card_id in ({listed['missing']})")
    world.pg(f"delete from {cards} where card_id in ({listed['extra']})")


def killed_over(world: World) -> None:
    """The worker dies while it hashes; another one finishes, from where the first one came to."""
    killer = threading.Thread(target=kill_when_some_is_known, args=(world,))
    killer.start()
    card, seconds = verify(world, 1)
    killer.join()
    print(f"the same, the worker killed half-way and another one started: {seconds:.1f} s")  # noqa: T201
    named = {(one["kind"], int(one["key"]["card_id"])) for one in card["keys"]}
    assert named == NINE
    assert len(card["snapshots"]) == 2
    assert card["source_rows"] == ROWS - 4


def kill_when_some_is_known(world: World) -> None:
    """SIGKILL once parts are on record for the question that is being answered."""
    import sqlite3

    with sqlite3.connect(world.directory / "windlass.db") as ledger:
        query = (
            "select count(*) from verify_parts p join requests r on r.id = p.request "
            "where r.state = 'running'"
        )
        deadline = time.monotonic() + 300
        while not ledger.execute(query).fetchone()[0] > 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    world.workers[0].send_signal(signal.SIGKILL)
    world.workers[0].wait(30)
    world.start_worker()
