"""`python -m tests.faults.suite`: seeded runs side by side, and the table of their outcomes."""

import argparse
import json
import logging
import queue
import shutil
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import cast

import psycopg

from tests.faults.campaign import Intent
from tests.faults.deck import DECK
from tests.faults.lane import Lane
from tests.faults.rough import RoughStack
from tests.faults.run import Fault, Result, Run, carry_out
from tests.faults.shop import SHAPES, Shop
from tests.faults.table import write
from windlass.localstack.stack import Endpoints, LocalStack

FULL = 308
LANES, ROUGH_LANES = 5, 2


def draw(seed: int) -> Fault:
    """The fault of a seed."""
    return DECK[seed % len(DECK)]


def prepare(seed: int, lane: Lane, fault: Fault) -> Run:
    """All that a seed decides."""
    dice = Random(f"windlass {seed}")
    shape, mode = dice.choice(SHAPES), dice.choice(fault.modes)
    shop = Shop(lane.endpoints.postgres, lane.endpoints.clickhouse, lane.name, shape, mode)
    return Run(seed, dice, lane, shop, Intent(shape.dataset, mode, accept=fault.accept))


Waiting = Iterator[int]


def _queue(seeds: Sequence[int]) -> Waiting:
    """Seeds that several threads may take from."""
    todo: queue.SimpleQueue[int] = queue.SimpleQueue()
    for seed in seeds:
        todo.put(seed)

    def take() -> int | None:
        try:
            return todo.get_nowait()
        except queue.Empty:
            return None

    return cast("Waiting", iter(take, None))


def postgres_ledger(endpoints: Endpoints, name: str) -> str:
    """A database of the lane's own, for its ledger."""
    with psycopg.connect(endpoints.postgres, autocommit=True) as connection:
        connection.execute(f"create database {name}_ledger")
    return f"{endpoints.postgres.rpartition('/')[0]}/{name}_ledger"


def perform(seed: int, lane: Lane, *, stack: RoughStack | None = None) -> Result:
    """One run; what breaks in the suite itself is a result too."""
    chosen = draw(seed)
    run = prepare(seed, lane, chosen)
    run.stack = stack
    try:
        return carry_out(run, chosen)
    except Exception as error:
        shape, mode = run.shop.shape.name, run.shop.mode
        told = Result(seed, chosen.family, chosen.name, shape, mode, "broken")
        told.notes = [*run.notes, repr(error), traceback.format_exc()[-3000:]]
        return told


class Suite:
    """Lanes side by side on one calm stack, and rough ones on stacks of their own."""

    def __init__(self, directory: Path, log: Path) -> None:
        self.directory, self.log = directory, log
        self.results: list[Result] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._begun = time.monotonic()

    def run(self, seeds: Sequence[int], lanes: int, rough_lanes: int) -> list[Result]:
        """All seeds; results in the order in which they ended."""
        rough = [seed for seed in seeds if draw(seed).rough]
        calm = [seed for seed in seeds if not draw(seed).rough]
        threads = [threading.Thread(target=self._calm, args=(calm, lanes))] if calm else []
        waiting = _queue(rough)
        for number in range(1, min(rough_lanes, len(rough)) + 1):
            threads.append(threading.Thread(target=self._rough, args=(number, waiting)))
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        except KeyboardInterrupt:
            say("stopping after the runs that are under way")
            self._stopping.set()
            for thread in threads:
                thread.join()
        return self.results

    def _calm(self, seeds: Sequence[int], lanes: int) -> None:
        stack = LocalStack(self.directory / "calm")
        endpoints, waiting = stack.up(workers=0), _queue(seeds)
        try:
            threads = [
                threading.Thread(target=self._lane, args=(endpoints, number, waiting))
                for number in range(1, min(lanes, len(seeds)) + 1)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            stack.reset()

    def _lane(self, endpoints: Endpoints, number: int, waiting: "Waiting") -> None:
        """Every fourth lane keeps its ledger in PostgreSQL."""
        name = f"w{number}"
        ledger = postgres_ledger(endpoints, name) if number % 4 == 0 else ""
        self._work(Lane(endpoints, self.directory / name, name, ledger=ledger), waiting, None)

    def _rough(self, number: int, waiting: "Waiting") -> None:
        name = f"r{number}"
        stack = RoughStack(self.directory / f"rough{number}")
        try:
            self._work(Lane(stack.up(), self.directory / name, name), waiting, stack)
        finally:
            stack.close()

    def _work(self, lane: Lane, waiting: "Waiting", stack: RoughStack | None) -> None:
        try:
            lane.hire("a").await_ready()
            for seed in waiting:
                if self._stopping.is_set():
                    return
                self.note(perform(seed, lane, stack=stack))
                if stack is not None:
                    stack.restart()
        finally:
            lane.close()

    def note(self, result: Result) -> None:
        """Remember, write down, and say."""
        with self._lock:
            self.results.append(result)
            with self.log.open("a", encoding="utf-8") as out:
                out.write(json.dumps(asdict(result), default=str) + "\n")
            word = "ok " if result.good else "BAD"
            missed = "" if result.struck else " (did not strike)"
            say(
                f"{time.monotonic() - self._begun:6.0f}s {len(self.results):4} {word} "
                f"seed {result.seed}: {result.family}: {result.fault} "
                f"[{result.shape}/{result.mode}] -> {result.outcome}{missed} "
                f"in {result.seconds:.0f} s, lost {result.lost}, doubled {result.doubled}, "
                f"other {result.other}, half-visible {result.half_visible} of {result.looks} looks"
            )
            if not result.good:
                for line in (*result.notes, f"left over: {result.leftovers}"):
                    say(f"        {line[:300]}")


def say(text: str) -> None:
    """A line of progress."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.suite")
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--n", type=int, default=FULL, help="how many runs")
    parser.add_argument("--lanes", type=int, default=LANES, help="campaigns side by side")
    parser.add_argument("--rough", type=int, default=ROUGH_LANES, help="stacks to be killed")
    parser.add_argument("--log", type=Path, default=Path("build/faults.jsonl"))
    parser.add_argument("--docs", type=Path, help="write the table into this file")
    parser.add_argument("--each", action="store_true", help="one run of each kind of fault")
    parser.add_argument("--resume", action="store_true", help="leave out what the log has")
    parser.add_argument("--only", default="", help="only faults whose family or name has this")
    options = parser.parse_args(argv)
    options.log.parent.mkdir(parents=True, exist_ok=True)
    logging.getLogger("windlass").setLevel(logging.CRITICAL)
    directory = Path(tempfile.mkdtemp(prefix="windlass-faults-"))
    # PostgreSQL runs as nobody where we are root, and must be let in
    directory.chmod(0o755)
    seeds = chosen(options.seed, options.n, options.only)
    if options.each:
        seeds = [*{draw(seed).family: seed for seed in reversed(seeds)}.values()]
    known = recorded(options.log, seeds) if options.resume else []
    left = [seed for seed in seeds if seed not in {one.seed for one in known}]
    say(f"seeds {options.seed}.. ({len(left)} runs), {len(DECK)} faults, in {directory}")
    try:
        found = Suite(directory, options.log).run(left, options.lanes, options.rough)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    results = [*known, *found]
    if options.docs and results:
        share = "" if len(results) == len(seeds) else f", stopped after {len(results)} runs"
        write(options.docs, results, f"seeds {seeds[0]} to {seeds[-1]}{share}")
    bad = [result for result in results if not result.good]
    say(f"{len(results)} runs, {len(bad)} not as they should be: {[r.seed for r in bad]}")
    return 1 if bad else 0


def recorded(log: Path, seeds: Sequence[int]) -> list[Result]:
    """The runs of these seeds that the log has, the latest of each."""
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    found = {one.seed: one for one in (Result(**json.loads(line)) for line in lines)}
    return [found[seed] for seed in seeds if seed in found]


def chosen(first: int, count: int, only: str) -> list[int]:
    """The seeds to run, in order."""
    found: list[int] = []
    seed = first
    while len(found) < count and seed < first + 100 * len(DECK):
        fault = draw(seed)
        if only in f"{fault.family}: {fault.name}":
            found.append(seed)
        seed += 1
    return found


if __name__ == "__main__":
    sys.exit(main())
