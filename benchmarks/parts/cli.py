"""How long commands take that people type all day."""

import shutil
import sys
from pathlib import Path
from typing import Any

from benchmarks import markdown
from benchmarks.data import Table
from benchmarks.options import Options
from benchmarks.stats import Spread
from benchmarks.targets import Check, Target
from benchmarks.world import World, timed

TIMES = 11
TARGETS = {
    "--help": Target("`windlass --help`", 0.3, unit="s"),
    "status": Target("`windlass status`", 0.5, unit="s"),
}


def measure(world: World, _options: Options) -> dict[str, Any]:
    """Seconds of each command, whole process, the two in turn."""
    table = world.add(Table("commands", 1_000))
    world.worker()
    world.run(table)
    found: dict[str, list[float]] = {name: [] for name in TARGETS}
    program = _program()
    for _ in range(TIMES):
        found["--help"].append(timed([program, "--help"])[1])
        found["status"].append(timed([program, "--config", str(world.config), "status"])[1])
    world.drop(table)
    return {"seconds": found}


def _program() -> str:
    """`windlass` of this environment."""
    beside = Path(sys.executable).with_name("windlass")
    return str(beside) if beside.exists() else shutil.which("windlass") or "windlass"


def render(result: dict[str, Any]) -> str:
    """A row per command."""
    rows = [
        [f"`windlass {name}`", markdown.spread(Spread.of(seconds))]
        for name, seconds in result["seconds"].items()
    ]
    return f"{TIMES} times each.\n\n" + markdown.table(("command", "seconds"), rows)


def checks(result: dict[str, Any]) -> list[Check]:
    """Both."""
    return [t.judge(Spread.of(result["seconds"][n]).median) for n, t in TARGETS.items()]
