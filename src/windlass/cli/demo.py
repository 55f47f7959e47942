"""`windlass demo`: the work log of 2026-02-19, replayed on the local stack by real commands."""

import json
import shlex
import subprocess
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from windlass.cli.command import command
from windlass.cli.session import Session
from windlass.domain.errors import MismatchError, UsageError

if TYPE_CHECKING:
    from windlass.localstack.demo.data import Expected
    from windlass.localstack.stack import Endpoints, LocalStack

CLUSTER = "voice-prod"
TENANTS = "mutualofomaha,mutualofomaha-sandbox"
RANGE = ("2026-01-01", "2026-02-20")
DATABASE = "mutualofomaha_voice"
LOG_MINUTES = 27
WORKERS = 2


FLEET_SCALE = 0.01


class Story(StrEnum):
    """Which work log is replayed, where it is not the first."""

    FLEET = "fleet"


@command("windlass demo", "windlass demo --scale 0.05 --down", "windlass demo fleet --scale 0.01")
def app(
    session: Session,
    story: Annotated[
        Story | None,
        typer.Argument(metavar="[fleet]", help="The log of 2026-02-22: eight clusters, troubles."),
    ] = None,
    scale: Annotated[
        float | None,
        typer.Option(metavar="F", help="Share of the log's rows: 1, or 0.01 for fleet."),
    ] = None,
    down: Annotated[bool, typer.Option("--down", help="Stop the local stack at the end.")] = False,
    directory: Annotated[
        Path | None,
        typer.Option(
            "--dir", metavar="DIR", help="Where the local stack lives: .windlass, .windlass/fleet."
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="With fleet: what chance comes out of.")
    ] = None,
) -> int:
    """Replay a work log on the local stack, with real commands.

    That of 2026-02-19: PostgreSQL holds 330,294 scorecards and 2,881,300 scores of one tenant;
    ClickHouse holds them all, although 31,503 scorecards are appeal requests that should have been
    kept out. The demo finds them, rebuilds 50 days, and proves the result.

    `fleet`, that of 2026-02-22: 95 customers on eight clusters, sources that throttle, workers
    that are killed or stand still, too many parts, cut connections, a client that dies; Windlass
    finishes alone, and writes the log.
    """
    if scale is not None and not 0 < scale <= 10:
        raise UsageError(f"--scale {scale:g} makes no sense", next_step="give 0.01 to 10")
    if story is Story.FLEET:
        return _fleet(session, scale or FLEET_SCALE, directory, seed, down)
    if seed is not None:
        raise UsageError("--seed is for the fleet", next_step=f"windlass demo fleet --seed {seed}")
    return _first(session, scale or 1.0, directory or Path(".windlass"), down)


def _fleet(
    session: Session, scale: float, directory: Path | None, seed: int | None, down: bool
) -> int:
    from windlass.cli.demo_fleet import play
    from windlass.localstack.fleet.scenario import SEED

    place = directory or Path(".windlass") / "fleet"
    return play(session, place, scale, SEED if seed is None else seed, down=down)


def _first(session: Session, scale: float, directory: Path, down: bool) -> int:
    from windlass.localstack.stack import LocalStack

    stack = LocalStack(directory, progress=_say)
    try:
        return Demo(session, stack, scale).play()
    finally:
        if down:
            stack.down()
            _say("the local stack is down; its data stays in " + str(stack.directory))


class Demo:
    """One replay. Everything that Windlass does here, it does by the commands that are shown."""

    def __init__(self, session: Session, stack: "LocalStack", scale: float) -> None:
        self._session, self._stack, self._scale = session, stack, scale
        self._config = ""

    def play(self) -> int:
        """The story: set the stage, look, rebuild, look again, write the log."""
        endpoints = self._set_stage()
        outside = self._fingerprints(endpoints)
        self._look(endpoints)
        seconds = self._rebuild()
        self._windlass("verify", CLUSTER, TENANTS, *RANGE)
        report = self._report()
        self._check(report, outside == self._fingerprints(endpoints))
        self._finish(report, seconds)
        return 0

    def _set_stage(self) -> "Endpoints":
        """Servers up, data seeded, config written, workers started on it."""
        _head("The stage: PostgreSQL, ClickHouse, Temporal, and the data of the log")
        self._stack.up(workers=0)
        return self._stack.up(workers=WORKERS, configure=self._seed)

    def _seed(self, endpoints: "Endpoints") -> None:
        from windlass.localstack.demo import data

        self._config = endpoints.config
        ledger = Path(endpoints.config).with_name("windlass.db")
        text = data.fleet_yaml(
            endpoints.postgres, endpoints.clickhouse, endpoints.temporal, str(ledger)
        )
        Path(endpoints.config).write_text(text, encoding="utf-8")
        if data.seeded_scale(endpoints.postgres) != self._scale:
            data.seed_source(endpoints.postgres, self._scale, progress=_say)
        data.seed_target(endpoints.clickhouse, endpoints.postgres, self._scale, progress=_say)

    def _fingerprints(self, endpoints: "Endpoints") -> dict[str, str]:
        from windlass.localstack.demo import data

        return data.fingerprints(endpoints.clickhouse)

    def _look(self, endpoints: "Endpoints") -> None:
        """What an earlier, unfiltered append left behind."""
        _head("The trouble: an earlier append did not filter appeal requests")
        asked = ("affected", CLUSTER, TENANTS, *RANGE, "--exclusion", "appeal_requests")
        found = json.loads(self._captured(*asked, "-o", "json"))
        self._windlass_said(asked, found)
        held = next(t["tables"] for t in _tenants(found) if t["database"] == DATABASE)
        expected = self._expected()
        if (held["scorecard"], held["score"]) != (expected.appeals, expected.appeal_scores):
            raise MismatchError("the demo's data is not what it should be", why=str(held))

    def _windlass_said(self, asked: tuple[str, ...], found: Any) -> None:  # noqa: ANN401
        """The answer of a command that was asked for JSON, as an operator would read it."""
        _show_command(asked)
        for tenant in _tenants(found):
            rows = ", ".join(f"{table} {n:,}" for table, n in tenant["tables"].items())
            _say(f"  {tenant['database']:34} {rows}")

    def _rebuild(self) -> float:
        _head("The rebuild")
        started = time.monotonic()
        reason = "appeal requests are excluded from now on; earlier appends kept them"
        self._windlass("run", CLUSTER, TENANTS, *RANGE, "--parts", "5", "--yes", "--reason", reason)
        return time.monotonic() - started

    def _report(self) -> dict[str, Any]:
        """Write the work log beside the stack; returns it as JSON."""
        report: dict[str, Any] = json.loads(self._captured("report", "--format", "json"))
        folder = self._stack.directory / "reports"
        folder.mkdir(parents=True, exist_ok=True)
        for form in ("md", "html", "json"):
            out = folder / f"{report['campaign']}.{form}"
            self._captured("report", report["campaign"], "--format", form, "--out", str(out))
        return report

    def _check(self, report: dict[str, Any], rest_untouched: bool) -> None:
        """The demo fails loudly when a figure is not the log's."""
        expected, tables = self._expected(), _by_table(report)
        figures = {
            "scorecard": (expected.scorecards, expected.kept_scorecards),
            "score": (expected.scores, expected.kept_scores),
            "scorecard_score": (0, 0),
        }
        for name, (before, after) in figures.items():
            row = tables[name]
            wanted = {"appeal_requests": before - after} if before > after else {}
            found = (row["before"], row["after"], row["attributed"], row["unexplained"])
            if found != (before, after, wanted, 0) or row["verdict"] != "verified":
                raise MismatchError(f"{name} is not as in the log", why=str(row))
        if not rest_untouched:
            raise MismatchError("rows outside the range or of other tenants changed")

    def _finish(self, report: dict[str, Any], seconds: float) -> None:
        _head("The log's table, reproduced")
        for name, row in _by_table(report).items():
            delta = f"{row['delta']:+,}" if row["delta"] else "—"
            counts = f"{row['before']:>10,} -> {row['after']:>10,}  {delta:>10}"
            _say(f"  {name:16} {counts}  {row['verdict']}")
        log = self._stack.directory / "reports" / f"{report['campaign']}.md"
        _say(f"\n  {seconds:.0f} seconds, from the command to the verified result; the log's hands")
        much = "as many rows" if self._scale == 1 else f"{1 / self._scale:g} times as many rows"
        _say(f"  needed about {LOG_MINUTES} minutes for {much}.")
        _say("  Rows outside the range and of other tenants: fingerprints identical.")
        _say(f"\n  The work log wrote itself: {log}")
        _say(f"  Look around: windlass -c {shlex.quote(self._config)} status")
        if self._session.as_json:
            json.dump(report, sys.stdout, indent=2)
            sys.stdout.write("\n")

    def _expected(self) -> "Expected":
        from windlass.localstack.demo import data

        return data.expected(self._scale)

    def _windlass(self, *words: str) -> None:
        """Run a command as an operator would, on the same terminal. Raises when it fails."""
        _show_command(words)
        out = sys.stderr if self._session.as_json else None
        done = subprocess.run(self._argv(words), stdout=out, check=False)
        if done.returncode:
            raise MismatchError(
                f"windlass {words[0]} ended with exit code {done.returncode}",
                where="demo",
                next_step=f"windlass -c {shlex.quote(self._config)} status; logs are in "
                f"{self._stack.directory / 'logs'}",
            )

    def _captured(self, *words: str) -> str:
        done = subprocess.run(self._argv(words), stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise MismatchError(
                f"windlass {words[0]} ended with exit code {done.returncode}", where="demo"
            )
        return done.stdout

    def _argv(self, words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "windlass.cli", "--config", self._config, *words]


def _tenants(found: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - parsed JSON
    listed: list[dict[str, Any]] = found["tenants"] if isinstance(found, dict) else found
    return listed


def _by_table(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["table"]: row for row in report["tables"] if row["database"] == DATABASE}


def _show_command(words: tuple[str, ...]) -> None:
    _say(f"\n$ windlass {shlex.join(words)}")


def _head(text: str) -> None:
    _say(f"\n── {text}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the story goes to the terminal
