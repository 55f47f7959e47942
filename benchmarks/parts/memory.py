"""What a worker needs above what it needs to be there, by the size of a window."""

import time
from statistics import median
from typing import Any

from benchmarks import markdown
from benchmarks.data import Table
from benchmarks.machine import high_water_mib
from benchmarks.options import Options
from benchmarks.targets import Check, Target
from benchmarks.world import World, say

SMALL, LARGE, LARGEST = 100_000, 2_000_000, 20_000_000
ABOVE = Target("worker's peak RSS above a started worker, largest window", 250.0, unit="MB")
FLAT = Target("worker's peak RSS, largest window ÷ 100 thousand rows", 1.10, unit="x")
_SETTLE_SECONDS = 2.0


def measure(world: World, options: Options) -> dict[str, Any]:
    """`laps`: `rows` of the one window, `started_mib` and `peak_mib` of a worker of its own."""
    sizes = (SMALL, LARGEST if options.big else LARGE)
    tables = [world.add(Table(f"memory{size}", options.scaled(size))) for size in sizes]
    laps = []
    for _ in range(options.repeats(1 if options.big else 3)):
        laps += [_lap(world, table) for table in tables]
    for table in tables:
        world.drop(table)
    return {"laps": laps}


def _lap(world: World, table: Table) -> dict[str, float]:
    world.quiet()
    pid = world.worker()
    time.sleep(_SETTLE_SECONDS)  # it says that it serves a little before all of it is there
    started = high_water_mib(pid)
    world.run(table, "--window", "none")
    peak = high_water_mib(pid)
    say(f"memory: {table.rows:,} rows in one window, {started:.0f} -> {peak:.0f} MiB")
    return {"rows": table.rows, "started_mib": started, "peak_mib": peak}


def _sizes(result: dict[str, Any]) -> list[tuple[int, float, float]]:
    """(rows, median MiB at the start, median MiB at most), by size."""
    laps = result["laps"]
    return [
        (size, *(median(_of(laps, size, name)) for name in ("started_mib", "peak_mib")))
        for size in sorted({lap["rows"] for lap in laps})
    ]


def _of(laps: list[dict[str, float]], size: int, name: str) -> list[float]:
    return [lap[name] for lap in laps if lap["rows"] == size]


def render(result: dict[str, Any]) -> str:
    """A row per size."""
    rows = [
        [f"{size:,}", f"{start:.0f}", f"{peak:.0f}", f"{peak - start:.0f}"]
        for size, start, peak in _sizes(result)
    ]
    head = ("rows in one window", "started, MiB", "peak, MiB", "above, MiB")
    return "`VmHWM` of a worker that was started for this one campaign; medians.\n\n" + (
        markdown.table(head, rows)
    )


def checks(result: dict[str, Any]) -> list[Check]:
    """Little, and flat."""
    sizes = _sizes(result)
    (_, _, small), (_, start, large) = sizes[0], sizes[-1]
    return [ABOVE.judge((large - start) * 1.048576), FLAT.judge(large / small)]
