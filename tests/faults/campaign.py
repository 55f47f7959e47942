"""Starting a campaign through the Python wiring, and what must be true once it has ended."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.faults.lane import Lane
from tests.faults.shop import RANGE, Bucket, Shop
from windlass import wiring
from windlass.domain.plan import Guard, Plan, Request
from windlass.domain.states import Mode
from windlass.domain.window import Interval
from windlass.planner import parse

PARTS = 3
MONTH = datetime(2026, 2, 1, tzinfo=UTC)
"""Where one partition ends and the next begins: each becomes visible by itself."""


@dataclass(frozen=True)
class Intent:
    """What the campaign of a run is to do."""

    dataset: str
    mode: str = "replace"
    accept: bool = True
    parts: int = PARTS


def request(lane: Lane, intent: Intent) -> Request:
    """The request as the command line would make it."""
    interval: Interval = parse.interval(*RANGE, datetime.now(UTC))
    return Request(
        dataset=lane.fleet.dataset(intent.dataset),
        clusters=(lane.name,),
        tenants=("acme",),
        interval=interval,
        mode=Mode(intent.mode),
        window=parse.window_spec("auto", intent.parts, interval),
        parts=intent.parts,
        redo=True,
        guard=Guard(accept=intent.accept),
    )


def plan(lane: Lane, intent: Intent) -> Plan:
    """Ask the lane's worker."""
    asked = request(lane, intent)
    return asyncio.run(wiring.plan(lane.fleet, asked, on_wait=lambda _: None))


def start(lane: Lane, made: Plan) -> str:
    """Start it; returns the campaign's name."""
    return asyncio.run(
        wiring.start(lane.fleet, made, name=None, reason="", who="faults", command="faults")
    )


def buckets(made: Plan) -> list[tuple[Bucket, bool]]:
    """Each table's stretches that become visible at once, and whether by a swap."""
    found: list[tuple[Bucket, bool]] = []
    for tenant in made.tenants:
        for group in tenant.groups:
            for table in group.tables:
                edges = [e for one in group.interval.minus(table.whole) for e in one.split([MONTH])]
                found += [(_bucket(table.table, one), True) for one in table.whole]
                found += [(_bucket(table.table, one), False) for one in edges]
    return found


def _bucket(table: str, interval: Interval) -> Bucket:
    return table, _micros(interval.start), _micros(interval.end)


def _micros(instant: Any) -> int:
    return int(instant.timestamp()) * 1_000_000


_STATEMENTS = """
select Settings['log_comment'], substring(query, 1, 200) from system.processes
where startsWith(Settings['log_comment'], 'windlass/') and not startsWith(
  Settings['log_comment'], 'windlass/look') and position(query, '{database}') > 0
  and not startsWith(Settings['log_comment'], 'windlass/kill')
"""
_SESSIONS = """
select application_name, state, left(query, 200) from pg_stat_activity
where application_name like 'windlass:%' and position('{schema}' in query) > 0
"""
PATIENCE = 12.0
"""Seconds that the servers get to notice that a client is gone."""


def leftovers(lane: Lane, shop: Shop, seconds: float = PATIENCE) -> dict[str, list[Any]]:
    """What is still there of ours: staging tables, statements, sessions. Empty when clean."""
    deadline = time.monotonic() + seconds
    while True:
        found = _leftovers(lane, shop)
        if not any(found.values()) or time.monotonic() > deadline:
            return {name: rows for name, rows in found.items() if rows}
        time.sleep(0.3)


def _leftovers(lane: Lane, shop: Shop) -> dict[str, list[Any]]:
    client = shop.ch()
    try:
        staging = client.query(
            f"select name, comment from system.tables where database = '{lane.name}_staging' "
            "and not startsWith(name, 'kept_')"
        ).result_rows
        listed = client.query(_STATEMENTS.format(database=lane.name)).result_rows
    finally:
        client.close()
    sessions = shop.pg(_SESSIONS.format(schema=f"{lane.name}."))
    return {"staging": list(staging), "statements": list(listed), "sessions": list(sessions)}
