"""The demo at full size: the log's own 2.9 million rows."""

import json
import sys
from typing import Any

from benchmarks import markdown
from benchmarks.options import Options
from benchmarks.targets import Check, Target
from benchmarks.world import World, timed

TARGET = Target("the demo's 2.9 million kept rows, snapshot to verified report", 15.0, unit="s")


def measure(world: World, options: Options) -> dict[str, Any]:
    """`windlass demo`, on a stack of its own while ours is down: the seconds of its campaign, and
    of the whole command, with the making of its data."""
    scale = 1.0 if options.of_record else 0.02
    world.stack.down()
    directory = str(world.directory / "demo")
    argv = [sys.executable, "-m", "windlass.cli", "demo", "-o", "json"]
    try:
        text, seconds = timed([*argv, "--scale", f"{scale}", "--dir", directory])
    finally:
        timed([sys.executable, "-m", "windlass.cli", "dev", "reset", "--yes", "--dir", directory])
        world.stack.up(workers=0)
    report = json.loads(text)
    return {
        "scale": scale,
        "rows": report["rows_loaded"],
        "seconds": report["wall_seconds"],
        "command_seconds": seconds,
        "profile": report.get("profile"),
    }


def render(result: dict[str, Any]) -> str:
    """Two rows."""
    rows = [
        ["the rebuild, snapshot to verified", f"{result['seconds']:.1f}"],
        [
            "the whole demo, its data and the verification included",
            f"{result['command_seconds']:.1f}",
        ],
    ]
    return f"{result['rows']:,} rows loaded, over a live table that had more.\n\n" + markdown.table(
        ("what", "seconds"), rows
    )


def checks(result: dict[str, Any]) -> list[Check]:
    """The rebuild; at full scale only."""
    return [TARGET.judge(result["seconds"] if result["scale"] == 1 else None)]
