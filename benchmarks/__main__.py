"""`python -m benchmarks`: measure, print, and write it down."""

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import interrupt, machine, record
from benchmarks.options import FULL_ROWS, PARTS, Options, parse_parts
from benchmarks.parts import ALL
from benchmarks.targets import missed
from benchmarks.world import World, say


def main(argv: Sequence[str]) -> int:
    """0 when everything was measured, whether it meets its targets or not; 1 when a part failed;
    2 when the words make no sense; 130 when it was told to stop: nothing is written then."""
    interrupt.listen()
    words = _parser().parse_args(argv)
    try:
        chosen = parse_parts(words.parts, big=words.big)
        options = Options(words.rows, words.rounds, chosen, words.big)
    except ValueError as error:
        sys.stderr.write(f"benchmarks: {error}\n")
        return 2
    try:
        found = measure(options, command(options))
    except KeyboardInterrupt:
        return 130
    record.save(record.RUN, found)
    _print(found, options)
    _write(found, options, wanted=words.docs)
    return 1 if any("error" in entry for entry in found.values()) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", type=int, default=FULL_ROWS, help="rows of the comparison")
    parser.add_argument("--rounds", type=int, default=5, help="how often each one runs")
    parser.add_argument("--parts", default="", help=f"of {' '.join(PARTS)}, or all")
    parser.add_argument(
        "--big", action="store_true", help="20 million rows, 5,000 windows, the demo"
    )
    parser.add_argument(
        "--no-docs", dest="docs", action="store_false", help="leave docs/performance.md as it is"
    )
    return parser


def command(options: Options) -> str:
    """What to type for the same run."""
    words = [f"ROWS={options.rows}", f"ROUNDS={options.rounds}"]
    words += ["BIG=1"] if options.big else []
    return shlex.join(["make", "bench", *words, f"PARTS={' '.join(options.parts)}"])


def measure(options: Options, told: str) -> dict[str, record.Entry]:
    """Each part, one after the other, on one stack; a part that fails does not stop the rest."""
    found: dict[str, record.Entry] = {}
    with World() as world:
        facts = machine.facts(world.versions())
        for name in options.parts:
            say(f"── {name}")
            started, at = time.monotonic(), datetime.now(UTC)
            entry: dict[str, Any] = {"at": f"{at:%Y-%m-%d %H:%M} UTC", "command": told}
            try:
                entry["result"] = ALL[name].measure(world, options)
            except Exception as error:
                interrupt.check()
                entry["error"] = f"{type(error).__name__}: {error}"
                say(f"{name} failed: {entry['error']}")
            entry |= {"seconds": round(time.monotonic() - started, 1), "machine": facts}
            found[name] = entry
    return found


def _print(found: dict[str, record.Entry], options: Options) -> None:
    for name, entry in found.items():
        sys.stdout.write(f"\n## {name}\n\n{record.section(name, entry)}\n")
    sys.stdout.write(f"\n## targets\n\n{record.targets_table(found)}\n\n")
    if not options.of_record:
        sys.stdout.write("A small run: it shows that the suite works, not how fast anything is.\n")
    elif short := missed(record.checks(found)):
        sys.stdout.write(f"{len(short)} missed: see docs/performance.md for why.\n")


def _write(found: dict[str, record.Entry], options: Options, *, wanted: bool) -> None:
    """Into the docs, unless the sizes are not those of the targets."""
    if not wanted or not options.of_record:
        say(f"results are in {record.RUN}; the docs stay as they are")
        return
    good = {name: entry for name, entry in found.items() if "result" in entry}
    parts = record.load(record.RECORD) | good
    record.write(parts, record.DOCUMENT)
    record.draw(parts, record.FOLDER)
    record.save(record.RECORD, parts)
    say(f"results are in {record.RUN} and {record.DOCUMENT}")


if __name__ == "__main__":
    Path("build").mkdir(exist_ok=True)
    sys.exit(main(sys.argv[1:]))
