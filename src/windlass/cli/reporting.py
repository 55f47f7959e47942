"""A campaign's figures per table, from its facts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from windlass.domain.record import CampaignFacts, GroupCounts
from windlass.domain.states import Verdict

WORST = (Verdict.MISMATCH, Verdict.UNVERIFIED, Verdict.VERIFIED)


def tables(facts: CampaignFacts) -> list[dict[str, Any]]:
    """The figures of every table, summed over its publish groups."""
    found: dict[tuple[str, str, str], list[GroupCounts]] = {}
    for one in facts.counts:
        found.setdefault((one.cluster, one.database, one.counts.table), []).append(one)
    return [_table(key, groups) for key, groups in found.items()]


def _table(key: tuple[str, str, str], groups: Sequence[GroupCounts]) -> dict[str, Any]:
    cluster, database, name = key
    counts = [one.counts for one in groups]
    attributed: Counter[str] = Counter()
    for one in counts:
        attributed.update(one.attributed)
    return {
        "cluster": cluster,
        "database": database,
        "table": name,
        "before": sum(one.before for one in counts),
        "removed": sum(one.removed for one in counts),
        "loaded": sum(one.loaded for one in counts),
        "after": sum(one.after for one in counts),
        "delta": sum(one.delta for one in counts),
        "attributed": dict(attributed),
        "unexplained": sum(one.unexplained for one in counts),
        "verdict": str(_worst(one.verdict for one in counts)),
    }


def _worst(verdicts: Iterable[Verdict]) -> Verdict:
    return min(verdicts, key=WORST.index)


def as_dict(facts: CampaignFacts) -> dict[str, Any]:
    """A run's keys, every window, and the figures of every table."""
    from windlass.cli.show.status import status_json

    view = facts.status
    done = [w.ended_at for t in view.tenants for w in t.windows if w.ended_at]
    ended = view.ended_at or max(done, default=None)
    wall = (ended - view.started_at).total_seconds() if ended and view.started_at else None
    return status_json(view, windows=True) | {
        "tables": tables(facts),
        "windows_run": sum(w.attempts > 0 for t in view.tenants for w in t.windows),
        "wall_seconds": wall,
    }
