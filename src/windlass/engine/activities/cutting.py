"""Cutting windows again: pure, so that a command line can say beforehand what would come of it."""

from collections.abc import Sequence
from datetime import timedelta

from windlass.domain.errors import RefusedError
from windlass.domain.plan import GroupPlan, TenantPlan, WindowPlan
from windlass.domain.states import Mode
from windlass.domain.window import Interval
from windlass.domain.words import duration
from windlass.planner.groups import common_bounds, plan_groups, refuse_too_many
from windlass.planner.windows import fixed, parts

SMALLEST = timedelta(minutes=1)
MOST = 1_000
"""Pieces of one window."""
AIM_SECONDS = 600.0
"""How long a piece should take at the rate that was seen."""


def cut(
    tenant: TenantPlan,
    group: GroupPlan,
    mode: Mode,
    *,
    window: str = "",
    into: timedelta | None = None,
    rate: float | None = None,
) -> tuple[GroupPlan, ...]:
    """The groups that take the group's place: that window of it (or each, '') in pieces `into`
    long, or so long that each takes ten minutes at `rate`, two at least. Pieces end where
    partitions do, so that what can become visible by itself does. RefusedError: there is nothing
    to cut off, or the pieces would be too small. UsageError: too many of them would be bound
    together."""
    whole = {one.table: one.whole for one in group.tables}
    made: list[WindowPlan] = []
    for one in group.windows:
        wanted = window in {"", one.id}
        pieces = _pieces(one, into, rate) if wanted else [one.interval]
        bounds = common_bounds(whole) if wanted else []
        edges = {*bounds, *(piece.start for piece in pieces)}
        made += _windows(one, list(one.interval.split(edges)))
    if len(made) == len(group.windows):
        raise RefusedError(
            "it would stay as it is",
            where=window or group.id,
            why=f"no window of it is longer than {duration(into.total_seconds())}" if into else "",
            next_step="give a shorter --into, such as 1d or 6h",
        )
    edge_paths = {one.table: tenant.table(one.table).edge_path for one in group.tables}
    prefix = group.id.rpartition("/")[0]
    cuts = plan_groups(prefix, made, whole, edge_paths, mode)
    refuse_too_many(cuts, tenant.tenant.database, "give a longer --into")
    return cuts


def _pieces(window: WindowPlan, into: timedelta | None, rate: float | None) -> list[Interval]:
    length = window.interval.duration
    count = -(-length // into) if into else _by_rate(window, rate)
    size = into or length / count
    if size < SMALLEST or count > MOST:
        raise RefusedError(
            f"pieces of {duration(size.total_seconds())} are too small",
            where=window.id,
            why=f"at most {MOST:,} pieces of a window, none below "
            f"{duration(SMALLEST.total_seconds())}",
            next_step="give a longer --into; what fails at that size needs another cure: "
            f"windlass why {window.id}",
        )
    return fixed(window.interval, into) if into else parts(window.interval, count)


def _by_rate(window: WindowPlan, rate: float | None) -> int:
    """Two at least, and no more than sixteen at once: they can be cut again."""
    seconds = window.rows / rate if rate else 0.0
    return min(16, max(2, -(-int(seconds) // int(AIM_SECONDS))))


def _windows(old: WindowPlan, pieces: Sequence[Interval]) -> list[WindowPlan]:
    """The pieces as windows, rows shared out by length; an uncut window stays as it was."""
    if len(pieces) == 1:
        return [old]
    prefix = old.id.rpartition("/")[0]
    made, left = [], old.rows
    for piece in pieces[:-1]:
        rows = min(left, round(old.rows * (piece.duration / old.interval.duration)))
        made.append(WindowPlan(f"{prefix}/{piece}", piece, rows))
        left -= rows
    return [*made, WindowPlan(f"{prefix}/{pieces[-1]}", pieces[-1], left)]
