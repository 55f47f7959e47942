"""One seeded run: a campaign, one fault, and the comparison of everything afterwards."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from tests.faults import campaign
from tests.faults.campaign import Intent
from tests.faults.lane import Lane, Way
from tests.faults.reader import Reader
from tests.faults.shop import Shop, allowed_states, differences
from tests.faults.steps import LIVE_STEPS, Statement
from windlass.domain.record import StatusView
from windlass.domain.states import State, Verdict

if TYPE_CHECKING:
    from tests.faults.rough import RoughStack

BOUND = 600.0
"""Seconds after which a campaign that has not ended by itself counts as hung."""


@dataclass
class Run:
    """What a fault gets to work with. `struck` says whether it struck at all."""

    seed: int
    dice: Random
    lane: Lane
    shop: Shop
    intent: Intent
    stack: "RoughStack | None" = None
    struck: Callable[[], bool] = lambda: True
    notes: list[str] = field(default_factory=list)
    crashed_target: bool = False
    campaigns: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)
    worker: str = "a"

    @property
    def way(self) -> Way:
        """The way of the worker that is struck."""
        return self.lane.ways[self.worker]

    def note(self, text: str) -> None:
        """For the record of the run."""
        self.notes.append(text)

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do it aside, after so long."""
        timer = threading.Timer(seconds, act)
        timer.daemon = True
        timer.start()


def nothing(_: Run) -> None:
    """No more to do."""


@dataclass(frozen=True)
class Fault:
    """`family` is its row in the table. `arm` sets it up before the campaign starts; `drive`,
    where given, brings the campaign to its end itself; `after` is done once it has ended."""

    family: str
    name: str
    arm: Callable[[Run], None] = nothing
    drive: Callable[[Run], str] | None = None
    after: Callable[[Run], None] = nothing
    rough: bool = False
    accept: bool = True
    modes: tuple[str, ...] = ("replace",)


@dataclass
class Result:
    """How a run went. `outcome`: done, parked then done, refused, or what went wrong."""

    seed: int
    family: str
    fault: str
    shape: str
    mode: str
    outcome: str = "?"
    struck: bool = False
    seconds: float = 0.0
    lost: int = 0
    doubled: int = 0
    other: int = 0
    half_visible: int = 0
    after_crash: int = 0
    looks: int = 0
    leftovers: dict[str, Any] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether nothing at all is to be complained of."""
        wrong = self.lost + self.doubled + self.other + self.half_visible
        ended = self.outcome in {"done", "parked, then done", "cancelled, then done"}
        return ended and not wrong and not self.leftovers and not self.wrong


def carry_out(run: Run, fault: Fault) -> Result:
    """Build, strike, wait, compare."""
    result = Result(run.seed, fault.family, fault.name, run.shop.shape.name, run.shop.mode)
    begun = time.monotonic()
    run.lane.calm()
    run.lane.workers["a"].await_ready()
    run.shop.build()
    before = run.shop.live()
    made = campaign.plan(run.lane, run.intent)
    parts = campaign.buckets(made)
    reader = Reader(run.shop, [bucket for bucket, _ in parts])
    run.lane.on_live = lambda statement: _hurry(reader, statement)
    reader.start()
    try:
        fault.arm(run)
        result.outcome = (fault.drive or _plainly(made))(run)
        result.struck = run.struck()
        for thread in run.threads:
            thread.join(60)
        run.lane.calm()
        if result.outcome == "parked":
            result.outcome = "parked, then " + _again(run)
        fault.after(run)
        _await_workflows(run)
    finally:
        reader.stop()
        run.lane.recover()
    wanted = run.shop.wanted(before)
    for name, count in differences(run.shop.live(), wanted).items():
        setattr(result, name, count)
    for (bucket, swap), seen in zip(parts, reader.seen, strict=True):
        states = allowed_states(bucket, before, wanted, swap=swap, shape=run.shop.shape)
        wrong = 0 if states is None else sum(state not in states for state in seen)
        if wrong:
            run.note(f"{bucket} {'swap' if swap else 'edge'}: saw {list(seen)}, allowed {states}")
        if run.crashed_target:
            result.after_crash += wrong
        else:
            result.half_visible += wrong
    result.leftovers = campaign.leftovers(run.lane, run.shop)
    result.looks, result.notes, result.wrong = reader.looks, run.notes, run.wrong
    result.seconds = time.monotonic() - begun
    return result


def _hurry(reader: Reader, statement: Statement) -> None:
    if statement.step in LIVE_STEPS:
        reader.hurry()


def _plainly(made: Any) -> Callable[[Run], str]:
    def drive(run: Run) -> str:
        name = campaign.start(run.lane, made)
        run.campaigns.append(name)
        return outcome(run, run.lane.wait(name, BOUND))

    return drive


def outcome(run: Run, view: StatusView) -> str:
    """One word for how the campaign ended."""
    if not view.state.final:
        run.note(f"hung: {view}")
        return "hung"
    if view.state is State.DONE and view.verdict is Verdict.VERIFIED:
        return "done"
    for tenant in view.tenants:
        run.note(f"{tenant.state}: {tenant.note}")
    return str(view.state) if view.state is not State.DONE else f"done, {view.verdict}"


def _again(run: Run) -> str:
    """What an operator does who has read the note: run it again."""
    intent = Intent(run.intent.dataset, run.intent.mode, accept=True)
    name = campaign.start(run.lane, campaign.plan(run.lane, intent))
    run.campaigns.append(name)
    return outcome(run, run.lane.wait(name, BOUND))


def run_again(run: Run) -> str:
    """The same, for faults that drive their campaign themselves."""
    return _again(run)


def _await_workflows(run: Run) -> None:
    """The workflows of a campaign whose books are closed end soon after."""
    deadline = time.monotonic() + 60
    for name in run.campaigns:
        while run.lane.begun(name):
            if time.monotonic() > deadline:
                run.note(f"workflow of {name} still runs")
                return
            time.sleep(0.2)
