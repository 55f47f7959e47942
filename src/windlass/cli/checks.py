"""Verifications that run by themselves: made, listed, ended."""

import json
import re
import secrets
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from windlass.cli import naming
from windlass.cli.request import nearest
from windlass.cli.session import Session
from windlass.cli.show.common import (
    Column,
    clock,
    console,
    duration,
    iso,
    print_json,
    styled,
    table,
)
from windlass.cli.show.status_table import verdict_text
from windlass.cli.show.verification import verification_json
from windlass.domain.errors import UsageError, WindlassError
from windlass.domain.naming import campaign_name, safe
from windlass.domain.states import Verdict
from windlass.planner.parse import SPAN, UNITS
from windlass.ports import CheckRun, CheckSchedule

if TYPE_CHECKING:
    from windlass.engine.activities.verify import Question

_SHARE = re.compile(r"(\d+(?:\.\d+)?)(%?)")


def span(text: str, option: str) -> timedelta:
    """`24h`, `7d`, `30m`. UsageError for anything else."""
    found = SPAN.fullmatch(text)
    if not found:
        raise UsageError(
            f"{option} {text!r} makes no sense", next_step=f"write {option} 24h, 7d or 30m"
        )
    return int(found["count"]) * UNITS[found["unit"]]


def share(text: str | None) -> float:
    """`5%` or `0.05` as a share; 1 where none is given."""
    if text is None:
        return 1.0
    found = _SHARE.fullmatch(text.strip())
    part = float(found[1]) / (100 if found[2] else 1) if found else 0.0
    if not 0 < part <= 1:
        raise UsageError(
            f"--sample {text!r} makes no sense", next_step="write --sample 5%, or 0.05"
        )
    return part


def fresh_seed() -> str:
    """A seed that nobody had before."""
    return secrets.token_hex(4)


def scheduled(session: Session, question: "Question", name: str | None, every: timedelta) -> int:
    """Schedule it on every cluster of the request."""
    request = question.request
    chosen = naming.checked(name) if name else _default(question)
    for cluster in request.clusters:
        one = CheckSchedule(chosen, cluster, "", every, session.who(), session.typed)
        session.backend.schedule_check(one, question)
        session.say(
            f"scheduled {chosen} on {cluster}, every {duration(every.total_seconds())}, now first"
        )
    if session.as_json:
        print_json({"schedule": chosen, "clusters": list(request.clusters)})
    session.say("next: windlass verify --schedules tells how each run ended")
    return 0


def _default(question: "Question") -> str:
    request = question.request
    if question.last_seconds:
        return safe(f"verify-{request.tenants[0]}-last-{question.last_seconds // 3600}h")
    return f"verify-{campaign_name(request.tenants, request.interval, request.mode)}"[:63]


def ended(session: Session, name: str) -> int:
    """End the schedule on every cluster that has it."""
    known = session.backend.ledger.checks()
    here = [one for one in known if one.name == name]
    if not here:
        names = sorted({one.name for one in known})
        raise UsageError(f"no schedule is called {name!r}", next_step=nearest(name, names))
    for one in here:
        session.backend.unschedule_check(one)
        session.say(f"ended {name} on {one.cluster}; its runs stay on record")
    if session.as_json:
        print_json({"schedule": name, "clusters": [one.cluster for one in here]})
    return 0


def listed(session: Session) -> int:
    """Print the schedules and their last outcomes; `doctor` judges them."""
    ledger = session.backend.ledger
    found = [(one, ledger.check_runs(one.name, one.cluster)) for one in ledger.checks()]
    if session.as_json:
        print_json({"schedules": [_json(one, runs) for one, runs in found]})
    elif found:
        console().print(_table(found))
    else:
        session.say("nothing is scheduled: windlass verify … --sample 5% --every 24h does that")
    return 0


def findings(session: Session, cluster: str) -> Iterator[tuple[str, str, str, str]]:
    """What the last ended run of each of the cluster's schedules found, for `doctor`: level,
    cluster, what, next step. A ledger that does not answer is told elsewhere."""
    try:
        ledger = session.backend.ledger
        known = [one for one in ledger.checks() if one.cluster == cluster]
        latest = [(one, ledger.check_runs(one.name, cluster, 2)) for one in known]
    except WindlassError:
        return
    for one, runs in latest:
        run = next((run for run in runs if run.verdict or run.error), None)
        if run:
            yield (*_finding(one, run), _by_hand(one))


def _finding(one: CheckSchedule, run: CheckRun) -> tuple[str, str, str]:
    head = f"scheduled verification {one.name}, {clock(run.begun_at)} UTC"
    if run.error:
        return "warn", one.cluster, f"{head}: failed: {run.error.splitlines()[0]}"
    if run.verdict is Verdict.VERIFIED:
        return "ok", one.cluster, f"{head}: verified"
    bad = [f"{t.database}.{t.table}" for t in run.tables if t.verdict is not Verdict.VERIFIED]
    level = "fail" if run.verdict is Verdict.MISMATCH else "warn"
    return level, one.cluster, f"{head}: {run.verdict} in {', '.join(bad)} (seed {run.seed})"


def _by_hand(one: CheckSchedule) -> str:
    """The command that looks at all of it."""
    asked = json.loads(one.question)
    span = f"--last {asked['last_seconds'] // 60}m"
    if not asked["last_seconds"]:
        at = asked["request"]["interval"]
        span = f"{at['start']} {at['end']}"
    return f"windlass verify {one.cluster} {','.join(asked['request']['tenants'])} {span}"


def _table(found: Sequence[tuple[CheckSchedule, Sequence[CheckRun]]]) -> Any:  # noqa: ANN401
    columns = [Column(title) for title in ("schedule", "cluster", "every", "last run", "seed")]
    rows = ((*_row(one, runs),) for one, runs in found)
    return table([*columns, Column("rows", number=True), Column("outcome")], rows)


def _row(one: CheckSchedule, runs: Sequence[CheckRun]) -> tuple[object, ...]:
    head = (one.name, one.cluster, duration(one.every.total_seconds()))
    if not runs:
        return (*head, "-", "-", "-", "has not run yet")
    run = runs[0]
    rows = f"{sum(t.source_rows for t in run.tables):,}" if run.tables else "-"
    return (*head, f"{clock(run.begun_at)} UTC", run.seed, rows, outcome(run))


def outcome(run: CheckRun) -> Any:  # noqa: ANN401 - rich text
    """How a run ended, in its colour."""
    if run.error:
        return styled(f"failed: {run.error.splitlines()[0]}", "red")
    return verdict_text(run.verdict) if run.verdict else styled("running", "cyan")


def _json(one: CheckSchedule, runs: Sequence[CheckRun]) -> dict[str, Any]:
    return {
        "name": one.name,
        "cluster": one.cluster,
        "every_seconds": int(one.every.total_seconds()),
        "who": one.who,
        "command": one.command,
        "last": _run_json(runs[0]) if runs else None,
    }


def _run_json(run: CheckRun) -> dict[str, Any]:
    return {
        "request": run.request,
        "seed": run.seed,
        "begun_at": iso(run.begun_at),
        "ended_at": iso(run.ended_at),
        "verdict": str(run.verdict) if run.verdict else None,
        "error": run.error,
        "tables": [verification_json(one) for one in run.tables],
    }
