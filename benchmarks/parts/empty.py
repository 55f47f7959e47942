"""What a window costs that has nothing in it."""

from datetime import timedelta
from typing import Any

from benchmarks import markdown
from benchmarks.data import Table
from benchmarks.options import Options
from benchmarks.stats import Spread
from benchmarks.targets import Check, Target
from benchmarks.world import World, say

WINDOWS = 200
IN_FLIGHT = 8
PARTITIONS = {"by month": "toYYYYMM(created_at)", "by day": "toYYYYMMDD(created_at)"}
LABELS = {
    "by month": "a window of a day, live partitioned by month (28 to 31 windows a publish)",
    "by day": "a window of a day, live partitioned by day (each published by itself)",
}
TARGET = Target("an empty window, 8 in flight", 80.0, unit="ms")


def measure(world: World, options: Options) -> dict[str, Any]:
    """`laps`: campaign's `seconds` over `windows` windows of a day, all but the first empty."""
    world.worker(per_tenant=IN_FLIGHT)
    count = WINDOWS if options.of_record else 20
    first = timedelta(hours=1)
    tables = {
        kind: world.add(Table(f"empty{place}", 1_000, count, first, partition))
        for place, (kind, partition) in enumerate(PARTITIONS.items())
    }
    laps = []
    for number in range(options.repeats(3)):
        for kind, table in tables.items():
            if number and kind == "by day":
                continue  # once will do: it takes long, and has no target
            campaign = world.run(table, "--window", "1d")
            windows = campaign.facts.status.windows_total
            laps.append({"kind": kind, "windows": windows, "seconds": campaign.seconds})
            say(f"empty windows, {kind}: {campaign.seconds / windows * 1000:.0f} ms each")
    for table in tables.values():
        world.drop(table)
    return {"laps": laps}


def _each(result: dict[str, Any], kind: str) -> Spread:
    """Milliseconds of wall time per window."""
    laps = [lap for lap in result["laps"] if lap["kind"] == kind]
    return Spread.of([lap["seconds"] / lap["windows"] * 1000 for lap in laps])


def render(result: dict[str, Any]) -> str:
    """A row per partitioning."""
    rows = [[LABELS[kind], markdown.spread(_each(result, kind))] for kind in PARTITIONS]
    windows = result["laps"][0]["windows"]
    head = ("what", "ms of wall time per window")
    return (
        f"{windows:,} windows, {IN_FLIGHT} in flight; the campaign's whole time over their number, "
        f"median (least – most).\n\n{markdown.table(head, rows)}"
    )


def checks(result: dict[str, Any]) -> list[Check]:
    """The usual partitioning counts."""
    return [TARGET.judge(_each(result, "by month").median)]
