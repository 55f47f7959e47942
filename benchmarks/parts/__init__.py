"""The parts of the suite, in the order in which they run: what measures, and what writes it down.

What a part measures is a JSON object; everything that is written is made from that alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.options import Options
from benchmarks.parts import cli, demo, empty, fleet, growth, memory, publish, ratios
from benchmarks.targets import Check
from benchmarks.world import World

Json = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """`measure` takes the time; `render` is Markdown, `checks` the targets that it speaks of,
    `draw` its plots in that folder (their names)."""

    name: str
    measure: Callable[[World, Options], Json]
    render: Callable[[Json], str]
    checks: Callable[[Json], Sequence[Check]]
    draw: Callable[[Json, Path], None]


def _nothing(_result: Json, _folder: Path) -> None:
    """No plot."""


ALL = {
    part.name: part
    for part in (
        Part("ratios", ratios.measure, ratios.render, ratios.checks, ratios.draw),
        Part("publish", publish.measure, publish.render, publish.checks, _nothing),
        Part("memory", memory.measure, memory.render, memory.checks, _nothing),
        Part("empty", empty.measure, empty.render, empty.checks, _nothing),
        Part("growth", growth.measure, growth.render, growth.checks, growth.draw),
        Part("cli", cli.measure, cli.render, cli.checks, _nothing),
        Part("fleet", fleet.measure, fleet.render, fleet.checks, _nothing),
        Part("demo", demo.measure, demo.render, demo.checks, _nothing),
    )
}
