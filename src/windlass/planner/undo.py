"""Which publish groups can be undone, and why the others cannot."""

from windlass.domain.plan import GroupPlan, GroupTable
from windlass.domain.states import Path

KEEPING = (Path.SWAP, Path.DELETE)
"""Paths that replace whole partitions: those can be kept, and put back each at once."""

REASONS = {
    Path.IN_PLACE: "rows are changed one by one, and could not be put back without a gap",
    Path.DELETE_AND_INSERT: "rows are deleted and inserted, and could not be put back without a "
    "gap",
    Path.APPEND: "an append goes into partitions that others write to as well",
}


def why_no_undo(group: GroupPlan) -> str:
    """'' for a group of which every table is published by whole partitions alone."""
    for table in group.tables:
        if table.path not in KEEPING:
            return f"{table.table} {_by(table.path)}: {REASONS[table.path]}"
        if not _whole(group, table):
            return f"{table.table}: the range cuts a partition, whose rest is not the group's"
    return ""


def _by(path: Path) -> str:
    return "is changed in place" if path is Path.IN_PLACE else f"goes by {path}"


def _whole(group: GroupPlan, table: GroupTable) -> bool:
    return not group.interval.minus(table.whole)
