"""How long readers wait for a partition of five million rows to change."""

from typing import Any

from benchmarks import markdown
from benchmarks.data import Table
from benchmarks.options import Options
from benchmarks.stats import Spread
from benchmarks.targets import Check, Target
from benchmarks.world import BenchError, Campaign, World, say

ROWS = 5_000_000
TARGET = Target("publish of a partition of 5 million rows", 1.0, unit="s")


def measure(world: World, options: Options) -> dict[str, Any]:
    """`publish_seconds` and `rebuild_seconds` of campaigns over a full live partition."""
    table = world.add(Table("publish", options.scaled(ROWS), days=31))
    world.worker()
    world.run(table)
    laps = []
    for number in range(options.repeats(3)):
        world.quiet()
        campaign = world.run(table)
        laps.append({"publish_seconds": _seconds(campaign), "rebuild_seconds": campaign.seconds})
        say(f"publish {number + 1}: {laps[-1]['publish_seconds']:.3f} s")
    world.drop(table)
    return {"rows": table.rows, "laps": laps}


def _seconds(campaign: Campaign) -> float:
    """Of the publish step, as the ledger holds it: the looks before and after it included."""
    steps = [step for step in campaign.facts.steps if step.step == "publish"]
    if len(steps) != 1:
        raise BenchError(f"{len(steps)} publish steps for one partition")
    return float(steps[0].facts["seconds"])


def _spread(result: dict[str, Any], name: str) -> Spread:
    return Spread.of([lap[name] for lap in result["laps"]])


def render(result: dict[str, Any]) -> str:
    """Two rows."""
    labels = {
        "publish_seconds": "the publish step, checks before and after it included",
        "rebuild_seconds": "the whole campaign around it, snapshot to verified",
    }
    rows = [[text, markdown.spread(_spread(result, name))] for name, text in labels.items()]
    return f"{result['rows']:,} rows in one partition, replaced by as many.\n\n" + markdown.table(
        ("what", "seconds"), rows
    )


def checks(result: dict[str, Any]) -> list[Check]:
    """Under a second."""
    return [TARGET.judge(_spread(result, "publish_seconds").median)]
