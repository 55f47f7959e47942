"""`windlass demo fleet`: the campaign of the work log of 2026-02-22, with troubles, and nobody."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from windlass.cli.ending import NOT_ALL, OK
from windlass.cli.session import Session
from windlass.domain.errors import MismatchError

if TYPE_CHECKING:
    from windlass.ledger.store import SqlLedger
    from windlass.localstack.fleet.scenario import Intent
    from windlass.localstack.fleet.stage import Stage
    from windlass.localstack.fleet.timetable import Trouble
    from windlass.localstack.fleet.troubles import Happening, Troubles

WATCHED = "us-east-whole-range"
"""The campaign that somebody watches from its beginning, until the client is killed."""
DETACHED = 3
_EVERY = 5.0


def play(session: Session, directory: Path, scale: float, seed: int, *, down: bool) -> int:
    """Set the stage, submit, bring the troubles, wait, prove, report. 0: all of it is green."""
    from windlass.localstack.fleet import scenario
    from windlass.localstack.fleet.stage import Stage

    everybody = scenario.customers(scale, seed)
    say(f"{len(everybody)} customers, {scenario.total_rows(everybody):,} rows; seed {seed}")
    stage = Stage(directory, everybody, say)
    # Told to end, it takes its workers along.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    try:
        stage.set_up()
        return Fleet(session, stage, scale, seed, time.monotonic() - began).run()
    finally:
        stage.leave(down=down)


class Watching:
    """A `windlass run` that stays with its campaign: the port Client of the troubles."""

    def __init__(self, argv: Sequence[str], log: Path) -> None:
        self._log = log.open("ab")
        self.process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log
        )

    def kill(self) -> str:
        """SIGKILL, where it still runs."""
        alive = self.process.poll() is None
        self.process.kill()
        self.process.wait()
        self._log.close()
        return f"windlass run, pid {self.process.pid}, " + ("killed" if alive else "had ended")


class Fleet:
    """One run on a stage that is set."""

    def __init__(
        self, session: Session, stage: "Stage", scale: float, seed: int, stage_seconds: float
    ) -> None:
        from windlass.ledger import open_ledger

        self._stage_seconds = stage_seconds
        self._session, self._stage, self._scale, self._seed = session, stage, scale, seed
        self._ledger: SqlLedger = open_ledger(stage.ledger)
        self._finished = threading.Event()
        self._began = time.monotonic()

    def run(self) -> int:
        """All of it; the report is printed and written down."""
        from windlass.localstack.fleet import timetable

        troubles = timetable.timetable(self._seed)
        before = self._outside()
        self._began = time.monotonic()
        work = self._submit(troubles)
        self._wait()
        watched = {WATCHED: self._watch(WATCHED)}
        seconds = time.monotonic() - self._began
        work.end()
        made = self._report(work.happenings, watched, seconds, before == self._outside())
        self._ledger.close()
        return OK if made["green"] else NOT_ALL

    def _submit(self, troubles: "Sequence[Trouble]") -> "Troubles":
        """The campaigns, as in the log: those with whole ranges by themselves."""
        from windlass.localstack.fleet.scenario import intents
        from windlass.localstack.fleet.troubles import Troubles

        clients: dict[str, Any] = {}
        work = Troubles(self._stage, self._ledger, clients, say, self._finished)
        work.throttle(troubles)
        orders = list(intents())
        log = self._stage.directory / "logs" / "client.log"
        for one in orders:
            say(f"$ {' '.join(words(one))}")
            if one.name == WATCHED:
                clients[WATCHED] = Watching(self._argv(words(one)), log)
        with ThreadPoolExecutor(2) as pool:
            detached = [one for one in orders if one.name != WATCHED]
            work.begin(troubles)
            list(pool.map(self._start, detached))
        return work

    def _start(self, intent: "Intent") -> None:
        argv = self._argv([*words(intent), "--detach"])
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode != DETACHED:
            raise MismatchError(
                f"{intent.name} did not start: exit code {done.returncode}",
                where="windlass demo fleet",
                why=done.stderr.strip()[-800:],
            )

    def _wait(self) -> None:
        """Until nothing moves any more; nobody lends a hand."""
        from windlass.localstack.fleet.scenario import intents

        names, said = [one.name for one in intents()], ""
        while True:
            known = {one.name for one in self._ledger.campaigns()}
            views = [self._ledger.status(name) for name in names if name in known]
            if len(views) == len(names) and all(view.state.final for view in views):
                return
            line = " · ".join(
                f"{v.campaign} {v.state} {v.windows_done}/{v.windows_total}"
                + (f" ({v.limited_by})" if v.limited_by else "")
                for v in views
            )
            if line != said:
                say(f"[{time.monotonic() - self._began:4.0f} s] {line}")
            said = line
            time.sleep(_EVERY)

    def _watch(self, campaign: str) -> int:
        """What the client, gone meanwhile, would have said: from anywhere with the config."""
        argv = self._argv(["windlass", "watch", campaign])
        return subprocess.run(argv, capture_output=True, check=False).returncode

    def _report(
        self,
        happenings: "Sequence[Happening]",
        watched: dict[str, int],
        seconds: float,
        untouched: bool,
    ) -> dict[str, Any]:
        from windlass.localstack.fleet import story, worklog
        from windlass.localstack.fleet.scenario import intents

        facts = [self._ledger.facts(one.name) for one in intents()]
        ending = story.Ending(
            self._scale,
            self._seed,
            seconds,
            self._stage_seconds,
            watched,
            tuple(self._differing()),
            untouched,
            dict(self._stage.crew.starts),
        )
        made = story.report(self._stage.everybody, facts, happenings, ending)
        text = worklog.markdown(made, datetime.now(UTC))
        folder = self._stage.directory / "reports"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "fleet.md").write_text(text, encoding="utf-8")
        (folder / "fleet.json").write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
        if self._session.as_json:
            sys.stdout.write(json.dumps(made, indent=2) + "\n")
        else:
            sys.stdout.write(text + "\n")
        say(f"the work log wrote itself: {folder / 'fleet.md'}")
        return made

    def _outside(self) -> dict[str, str]:
        from windlass.localstack.fleet import data

        return self._each(lambda cluster, mine: data.outside(self._stage.target(cluster), mine))

    def _differing(self) -> dict[str, str]:
        from windlass.localstack.fleet import data

        def ask(cluster: str, mine: list[Any]) -> dict[str, str]:
            places = self._stage.source(cluster), self._stage.target(cluster)
            return dict.fromkeys(data.differing(*places, mine), cluster)

        return self._each(ask)

    def _each(self, ask: Callable[[str, list[Any]], dict[str, str]]) -> dict[str, str]:
        found: dict[str, str] = {}
        for cluster in self._stage.relays:
            found |= ask(cluster, self._stage.of(cluster))
        return found

    def _argv(self, line: Sequence[str]) -> list[str]:
        config = ["--config", str(self._stage.config)]
        return [sys.executable, "-m", "windlass.cli", *config, *line[1:]]


def words(intent: "Intent") -> list[str]:
    """The command line that submits it."""
    from windlass.localstack.fleet.scenario import RANGE

    line = ["windlass", "run", intent.clusters, ",".join(intent.tenants), *RANGE]
    line += ["--window", intent.window, "--name", intent.name, "--reason", intent.reason, "--yes"]
    for name in intent.excepted:
        line += ["--except", name]
    return line


def say(text: str) -> None:
    """To the terminal."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the story goes to the terminal
