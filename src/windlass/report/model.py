"""A campaign's report: built once from the ledger's facts, then written in several formats."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from windlass.domain.plan import Plan
from windlass.domain.record import CampaignFacts
from windlass.report import words
from windlass.report.coverage import cluster_logs, coverage
from windlass.report.figures import Figures, figures, green
from windlass.report.profile import profile
from windlass.report.remaining import remaining
from windlass.report.shape import Report
from windlass.report.status import iso, status_json

TITLE = "Project Log"

__all__ = ["Report", "as_html", "as_json", "as_markdown", "build", "bundle", "green"]


def build(facts: CampaignFacts) -> Report:
    """Turn the ledger's facts into a report. Pure: the same facts give the same report."""
    from windlass.report import prose

    tables = figures(facts)
    windows = tuple((t, w) for t in facts.status.tenants for w in t.windows if not w.replaced)
    wall, left = wall_seconds(facts), remaining(facts, tables)
    return Report(
        facts=facts,
        title=f"{TITLE} - {words.day(_dated(facts))}",
        green=green(facts, tables),
        headline=prose.headline(facts, tables),
        progress=prose.progress(facts, tables, wall),
        coverage=coverage(facts.status),
        clusters=tuple(cluster_logs(facts.status)),
        parameters=prose.parameters(facts),
        steps=prose.steps(facts, tables),
        tables=tables,
        windows=windows,
        timings=prose.timings(facts, wall),
        checks=prose.checks(facts, tables),
        remaining=left,
        windows_run=sum(w.attempts > 0 for t in facts.status.tenants for w in t.windows),
        wall_seconds=wall,
    )


def wall_seconds(facts: CampaignFacts) -> float | None:
    """From the start to the end, or to the last window's end while there is none."""
    view = facts.status
    ends = [w.ended_at for t in view.tenants for w in t.windows if w.ended_at]
    ended = view.ended_at or max(ends, default=None)
    return (ended - view.started_at).total_seconds() if ended and view.started_at else None


def as_json(report: Report) -> dict[str, Any]:
    """The keys of `windlass report --format json`: those of `status` with windows, and more."""
    facts = report.facts
    return status_json(facts.status, windows=True) | {
        "tables": [_figures_json(row) for row in report.tables],
        "windows_run": report.windows_run,
        "wall_seconds": report.wall_seconds,
        "green": report.green,
        "who": facts.campaign.who,
        "command": facts.campaign.command,
        "ledger_id": facts.ledger_id,
        "plan_id": facts.campaign.plan_id,
        "definition_hash": facts.campaign.definition_hash,
        "parameters": dict(report.parameters),
        "events": _plain(facts.events),
        "notes": _plain(facts.notes),
        "actions": _plain(facts.actions),
        "queries": _plain(facts.queries),
        "remaining": _plain(report.remaining),
        "profile": profile(facts),
        "held": held_json(facts.plan),
        "plan_world": facts.plan.world,
    }


def as_markdown(report: Report) -> str:
    """The work log, in the shape that people write it in."""
    from windlass.report.markdown import write

    return write(report)


def as_html(report: Report) -> str:
    """One page that needs nothing else, for a browser or an archive; light and dark."""
    from windlass.report.html import write

    return write(report)


def bundle(report: Report, folder: Path) -> list[Path]:
    """Write report.md, report.html, report.json and queries.sql into the folder (made if needed);
    returns the files. OSError where that is not possible."""
    import json

    from windlass.report.markdown import queries_sql

    texts = {
        "report.md": as_markdown(report),
        "report.html": as_html(report),
        "report.json": json.dumps(as_json(report), indent=2, ensure_ascii=False) + "\n",
        "queries.sql": queries_sql(report),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def held_json(plan: Plan) -> list[dict[str, Any]]:
    """Windows of earlier campaigns in the range: those that hold are not done again, the others
    are, each with the reason."""
    return [
        {
            "cluster": one.tenant.cluster,
            "database": one.tenant.database,
            "campaign": held.campaign,
            "start": iso(held.interval.start),
            "end": iso(held.interval.end),
            "holds": held.holds,
            "reason": held.reason,
        }
        for one in plan.tenants
        for held in one.held
    ]


def _dated(facts: CampaignFacts) -> datetime:
    """A log carries the day on which the work began."""
    return facts.campaign.started_at or facts.campaign.created_at


def _figures_json(row: Figures) -> dict[str, Any]:
    return {
        "cluster": row.cluster,
        "database": row.database,
        "table": row.table,
        "before": row.before,
        "removed": row.removed,
        "loaded": row.loaded,
        "after": row.after,
        "delta": row.delta,
        "attributed": dict(row.attributed),
        "deleted": row.deleted,
        "duplicates": row.duplicates,
        "unexplained": row.unexplained,
        "raw": row.before if row.raw is None else row.raw,
        "verdict": str(row.verdict),
        "path": row.path,
        "note": row.note,
        "in_flight": row.in_flight,
        "exact_as_of": row.exact_as_of.isoformat() if row.exact_as_of else None,
        "reasons": list(row.reasons),
    }


def _plain(values: tuple[object, ...]) -> list[Mapping[str, Any]]:
    import json

    from windlass.domain.codec import dump

    found: list[Mapping[str, Any]] = json.loads(dump(values))
    return found
