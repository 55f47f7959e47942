"""ClickHouse reads PostgreSQL by itself: the shortest way that there is, and an unverified one."""

import time

from benchmarks.contestants.arena import Arena, Lap
from benchmarks.data import COLUMNS


def pull(arena: Arena) -> Lap:
    """One statement; the rows go from server to server."""
    source = arena.world.pull_function(arena.table)
    with arena.landing("pulled") as table:
        started = time.monotonic()
        arena.world.command(f"insert into {table} ({COLUMNS}) select {COLUMNS} from {source}")
        seconds = time.monotonic() - started
    return Lap(arena.table.rows, seconds)
