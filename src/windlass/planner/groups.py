"""Publish groups: the windows that become visible together, because a partition binds them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import reduce

from windlass.domain.errors import UsageError
from windlass.domain.plan import GroupPlan, GroupTable, WindowPlan
from windlass.domain.states import Mode, Path
from windlass.domain.window import Interval, joined

GROUP_ROWS, GROUP_WINDOWS = 20_000_000, 1_000
"""Above these, windows that straddle partitions are cut so that a group binds fewer of them."""

MOST_WINDOWS, MOST_LOADS = 2_800, 24_000
"""Of one group, and loads of a table in its windows. A window is a part at least, all of them come
into a partition of live at once, and beyond 3,000 a server refuses others' inserts; it is about
six events of a history, which takes some 50,000. A load is some 50 bytes of a payload, packed, and
that takes 2 MB."""


def common_bounds(whole: Mapping[str, Sequence[Interval]]) -> list[datetime]:
    """Instants that lie on a partition boundary, or outside whole partitions, in every table."""
    candidates = {
        edge for ranges in whole.values() for one in ranges for edge in (one.start, one.end)
    }
    return sorted(edge for edge in candidates if not _inside_any(edge, whole))


def core_bounds(whole: Mapping[str, Sequence[Interval]]) -> list[datetime]:
    """Where runs of partitions that are whole in every table begin and end: what lies between is
    swapped, and can be undone, while the edges beyond are changed row by row. Empty where there
    are no such runs."""
    bounds = common_bounds(whole)
    ends = []
    for run in _whole_in_all(whole):
        inside = [bound for bound in bounds if run.start <= bound <= run.end]
        if len(inside) > 1:
            ends += [inside[0], inside[-1]]
    return ends


def _whole_in_all(whole: Mapping[str, Sequence[Interval]]) -> list[Interval]:
    """What the whole partitions of every table cover, neighbours made one."""
    runs = [joined(ranges) for ranges in whole.values()]
    return reduce(_shared, runs) if runs else []


def _shared(some: list[Interval], others: list[Interval]) -> list[Interval]:
    return [
        Interval(max(a.start, b.start), min(a.end, b.end))
        for a in some
        for b in others
        if a.overlaps(b)
    ]


def _inside_any(instant: datetime, whole: Mapping[str, Sequence[Interval]]) -> bool:
    """Whether a cut at that instant would tear a whole partition of some table."""
    return any(one.start < instant < one.end for ranges in whole.values() for one in ranges)


def bind(
    windows: Sequence[WindowPlan], whole: Mapping[str, Sequence[Interval]]
) -> list[tuple[WindowPlan, ...]]:
    """Join neighbours whose common edge would tear a whole partition."""

    def join(groups: list[list[WindowPlan]], window: WindowPlan) -> list[list[WindowPlan]]:
        torn = groups and _inside_any(window.interval.start, whole)
        if torn and groups[-1][-1].interval.end == window.interval.start:
            groups[-1].append(window)
            return groups
        return [*groups, [window]]

    start: list[list[WindowPlan]] = []
    return [tuple(group) for group in reduce(join, windows, start)]


def cuts_for_large(
    groups: Sequence[tuple[WindowPlan, ...]], whole: Mapping[str, Sequence[Interval]]
) -> list[datetime]:
    """Boundaries at which straddling windows of over-large groups should be cut."""
    large = [g for g in groups if _is_large(g)]
    bounds = common_bounds(whole)
    return [b for g in large for w in g for b in bounds if w.interval.start < b < w.interval.end]


def _is_large(group: Sequence[WindowPlan]) -> bool:
    many = len(group) > 1 and sum(window.rows for window in group) > GROUP_ROWS
    return many or len(group) > GROUP_WINDOWS


def refuse_too_many(groups: Sequence[GroupPlan], database: str, next_step: str) -> None:
    """UsageError where one of the groups has more windows than can become visible together."""
    for group in groups:
        most = min(MOST_WINDOWS, MOST_LOADS // max(1, len(group.tables)))
        if len(group.windows) > most:
            raise UsageError(
                f"{len(group.windows):,} windows would have to become visible together",
                where=f"{database}, {group.interval}",
                why=f"a partition binds them; a publish group takes {most:,} at most here",
                next_step=next_step,
            )


def group_table(
    table: str, mode: Mode, edge: Path, group: Interval, ranges: Sequence[Interval]
) -> GroupTable:
    """The path of one table within one group's range."""
    if mode is Mode.APPEND:
        return GroupTable(table, Path.APPEND, ())
    inside = tuple(one for one in ranges if group.covers(one))
    if mode is Mode.DELETE:
        return GroupTable(table, Path.DELETE, inside)
    return GroupTable(table, Path.SWAP if inside else edge, inside)


def plan_groups(
    prefix: str,
    windows: Sequence[WindowPlan],
    whole: Mapping[str, Sequence[Interval]],
    edges: Mapping[str, Path],
    mode: Mode,
) -> tuple[GroupPlan, ...]:
    """All groups of a tenant, in order of time; ids are `<prefix>/group-<start>-<end>`."""
    binding = whole if mode is Mode.REPLACE else {}
    groups = []
    for members in bind(windows, binding):
        span = Interval(members[0].interval.start, members[-1].interval.end)
        tables = tuple(group_table(name, mode, edges[name], span, whole[name]) for name in edges)
        groups.append(GroupPlan(f"{prefix}/group-{span}", members, tables))
    return tuple(groups)
