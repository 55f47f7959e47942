"""Faults around the operator: the command line killed, two of them at once, parking, cancelling,
and a clock that jumps. Each brings its campaign to its end in a way of its own."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.faults import campaign
from tests.faults.lane import through_temporal
from tests.faults.relay import ByteRule, Relay
from tests.faults.run import BOUND, Fault, Run, outcome, run_again
from tests.faults.shop import RANGE
from tests.faults.strikes import arm_strike, kill_worker
from windlass.domain.errors import UsageError
from windlass.domain.record import StatusView

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


def _words(run: Run, name: str) -> list[str]:
    said = ["run", run.lane.name, "acme", *RANGE, "--dataset", run.intent.dataset]
    said += ["--parts", str(run.intent.parts), "--yes", "--redo", "--accept-removal"]
    return [*said, "--name", name]


def _known(run: Run, name: str) -> StatusView | None:
    try:
        return run.lane.ledger.status(name)
    except UsageError:
        return None


def _command(run: Run, config: Path | None = None) -> "tuple[str, subprocess.Popen[bytes]]":
    name = f"cli-{run.seed}-{time.time_ns() // 1_000_000}"
    log = run.lane.directory / f"{name}.log"
    run.campaigns.append(name)
    return name, run.lane.operate(_words(run, name), log, config)


def _cli_ends(run: Run, process: "subprocess.Popen[bytes]", allowed: tuple[int, ...]) -> None:
    try:
        code = process.wait(BOUND)
    except subprocess.TimeoutExpired:
        process.kill()
        code = process.wait()
        run.note("the command line did not end")
    if code not in allowed:
        text = (run.lane.directory / f"{run.campaigns[0]}.log").read_text()[-800:]
        run.note(f"the command line ended with {code}: {text}")
        run.wrong.append(f"exit {code}")


def _cli_killed_at(step: str, number: int, run: Run) -> str:
    """The viewer dies in the middle: nobody else notices."""
    holder: list[subprocess.Popen[bytes]] = []
    arm_strike(run, step, at="sent", act=lambda: holder[0].send_signal(number))
    name, process = _command(run)
    holder.append(process)
    codes = (-9,) if number == signal.SIGKILL else (130,)
    view = _end_of(run, name, process)
    _cli_ends(run, process, codes if run.struck() else (0,))
    return view


def _end_of(run: Run, name: str, process: "subprocess.Popen[bytes]") -> str:
    deadline = time.monotonic() + BOUND
    while _known(run, name) is None and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.1)
    if _known(run, name) is None:
        return "no campaign"
    return outcome(run, run.lane.wait(name, BOUND))


def _cli_watches_on(run: Run) -> str:
    """Temporal goes down and comes back while somebody watches: the viewer stays."""
    from tests.faults.rough import crash_at

    crash_at(("temporal",), run.dice.choice(("load-insert", "swap", "settle")), "sent", run)
    name, process = _command(run)
    ended = _end_of(run, name, process)
    _cli_ends(run, process, (0,))
    return ended


def _cli_killed_early(run: Run) -> str:
    """While it plans, or just as it starts: there is a campaign that runs, or none."""
    fired = threading.Event()
    run.struck = fired.is_set
    name, process = _command(run)
    time.sleep(run.dice.uniform(0.3, 6.0))
    if process.poll() is None:
        process.kill()
        fired.set()
    process.wait()
    return _whatever_began(run, name)


def _cli_killed_between(swallow: bool, run: Run) -> str:
    """Right as it asks Temporal to start what the ledger already has."""
    relay = Relay(run.lane.temporal_port)
    holder: list[subprocess.Popen[bytes]] = []

    def act() -> None:
        holder[0].kill()

    rule = ByteRule(b"windlass-campaign", act, swallow=swallow)
    relay.bytes_rule, run.struck = rule, rule.fired.is_set
    try:
        name, process = _command(run, through_temporal(run.lane, relay.port))
        holder.append(process)
        process.wait(120)
        return _whatever_began(run, name)
    finally:
        relay.close()


def _whatever_began(run: Run, name: str) -> str:
    view = _known(run, name)
    if view is None:
        run.campaigns.remove(name)
        return run_again(run)
    view = run.lane.wait(name, 25)
    if view.state.final or view.windows_done or run.lane.begun(name):
        return outcome(run, run.lane.wait(name, BOUND))
    done = run.lane.windlass("cancel", name, "--yes", "--reason", "it never began")
    run.note(f"never began; cancel said {done.returncode}: {done.stderr[-300:]}")
    return "cancelled, then " + run_again(run)


def _overlap(config: Callable[[Run], Path | None], run: Run) -> str:
    """A second operator wants the same range: exit 4, and the first one's name."""
    made = campaign.plan(run.lane, run.intent)
    first = campaign.start(run.lane, made)
    run.campaigns.append(first)
    words = _words(run, f"second-{run.seed}")
    second = run.lane.windlass(*words, config=config(run))
    ended = run.lane.ledger.status(first).state.final
    if (second.returncode, first in second.stderr) != (4, True) and not ended:
        run.note(f"second operator: exit {second.returncode}: {second.stderr[-600:]}")
        run.wrong.append(f"second operator: exit {second.returncode}")
    run.struck = lambda: not ended
    return outcome(run, run.lane.wait(first, BOUND))


def _same_ledger(_: Run) -> Path | None:
    return None


def _other_ledger(run: Run) -> Path:
    """Another machine: the same Temporal and databases, a ledger of its own."""
    path = run.lane.directory / "other.yaml"
    text = run.lane.operator.read_text(encoding="utf-8")
    other = run.lane.directory / "other.db"
    path.write_text(text.replace(run.lane.ledger_url, f"sqlite:///{other}"), encoding="utf-8")
    return path


def _park_and_kill(step: str, run: Run) -> None:
    arm_strike(
        run, step, at=run.dice.choice(("before", "sent", "answered")), act=partial(kill_worker, run)
    )


def _cancel_at(step: str, kill: bool, run: Run) -> str:
    """Cancelled in the middle; with `kill` the worker dies while it clears up."""

    def act() -> None:
        threading.Thread(target=run.lane.cancel, args=(run.campaigns[0],), daemon=True).start()
        if kill:
            run.later(run.dice.uniform(0.0, 2.0), partial(kill_worker, run))

    arm_strike(run, step, at="sent", act=act)
    made = campaign.plan(run.lane, run.intent)
    run.campaigns.append(campaign.start(run.lane, made))
    said = outcome(run, run.lane.wait(run.campaigns[0], BOUND))
    run.lane.calm()
    if said != "cancelled":
        return said
    left = campaign.leftovers(run.lane, run.shop)
    if left:
        run.note(f"after the cancellation: {left}")
        run.wrong.append("not clean after the cancellation")
    return "cancelled, then " + run_again(run)


def _clock(step: str, jump: str, run: Run) -> str:
    """A worker whose clock jumps in the middle."""
    if not FAKETIME.exists():
        run.note("no libfaketime here (Debian: apt-get install faketime): nothing jumped")
        run.struck = lambda: False
        return run_again(run)
    told = run.lane.directory / "clock"
    told.write_text("+0")
    run.lane.dismiss("a")
    env = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(told),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    run.lane.hire("t", env).await_ready()
    run.worker = "t"
    arm_strike(run, step, at="before", act=lambda: told.write_text(jump) and None)
    return run_again(run)


def _clock_back(run: Run) -> None:
    run.lane.dismiss("t")
    run.worker = "a"
    run.lane.hire("a").await_ready()


_PARK = "wipe guard parks while the worker dies"
_CANCEL = "cancelled"
_CLI = "command line killed"
_WATCH = "Temporal killed while the command line watches"
_TWO = "two operators, one range"
_JUMP = "clock of the worker jumps"

DRIVEN: tuple[Fault, ...] = (
    *(Fault(_CLI, f"{s}, SIGKILL", drive=partial(_cli_killed_at, s, signal.SIGKILL))
      for s in ("load-insert", "swap", "sweep")),
    *(Fault(_CLI, f"{s}, SIGINT", drive=partial(_cli_killed_at, s, signal.SIGINT))
      for s in ("load-insert", "settle")),
    *(Fault(_WATCH, f"number {n}", drive=_cli_watches_on, rough=True) for n in (1, 2, 3)),
    *(Fault(_CLI, "while planning or starting", drive=_cli_killed_early) for _ in range(3)),
    Fault(_CLI, "as the workflow starts", drive=partial(_cli_killed_between, False)),
    Fault(_CLI, "before the workflow starts", drive=partial(_cli_killed_between, True)),
    Fault(_TWO, "one ledger", drive=partial(_overlap, _same_ledger)),
    Fault(_TWO, "two ledgers, one Temporal", drive=partial(_overlap, _other_ledger)),
    *(Fault(_PARK, s, partial(_park_and_kill, s), accept=False)
      for s in ("guard", "sweep", "sweep")),
    *(Fault(_CANCEL, f"{s}{', and the worker dies' if k else ''}", drive=partial(_cancel_at, s, k))
      for s in ("load-insert", "swap", "delete-live", "settle") for k in (False, True)),
    *(Fault(_JUMP, f"{s}, {j}", drive=partial(_clock, s, j), after=_clock_back)
      for s, j in (("load-insert", "+3600"), ("guard", "-3600"), ("swap", "+90000"),
                   ("settle", "-90000"))),
)  # fmt: skip
