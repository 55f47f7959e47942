"""Which publish path fits a table, and what it promises to readers (docs/publish.md)."""

from windlass.domain.dataset import TableSpec
from windlass.domain.errors import PlanError
from windlass.domain.schema import Removal, TargetTable
from windlass.domain.states import Mode, Path

SERVED = ("MergeTree", "ReplacingMergeTree")

PROMISES = {
    Path.SWAP: "readers see each partition old or new, never between",
    Path.APPEND: "readers see the old rows, then old and new; a partition at once",
    Path.DELETE: "whole partitions vanish at once; rows at the edges by deletes",
    Path.DELETE_AND_INSERT: "readers see a short gap between delete and insert, measured and "
    "reported",
}

IN_PLACE_PROMISES = {
    Removal.PATCH: "readers with FINAL see no gap and no doubles; stale rows vanish at once",
    Removal.TOMBSTONE: "readers with FINAL see no gap and no doubles; stale rows vanish at once",
    Removal.LIGHTWEIGHT: "readers with FINAL see no gap; while stale rows are deleted they may "
    "see intermediate sums",
}


def base_engine(engine: str) -> str:
    """The engine without `Replicated` or `Shared`."""
    return engine.removeprefix("Replicated").removeprefix("Shared")


def check_engine(live: TargetTable, mode: Mode) -> None:
    """Refuse engines that the mode cannot serve exactly. Raises PlanError."""
    if base_engine(live.engine) in SERVED:
        return
    raise PlanError(
        f"the engine {live.engine} cannot serve mode {mode}",
        where=f"target table {live.database}.{live.name}",
        why="rows of the range could not be replaced exactly: only MergeTree and "
        "ReplacingMergeTree (also Replicated and Shared) keep rows as they were inserted",
        next_step="point the dataset at the MergeTree table underneath, or leave the table out",
    )


def edge_path(live: TargetTable, mode: Mode) -> Path:
    """How partitions are published that the range covers only in part."""
    if mode is Mode.APPEND:
        return Path.APPEND
    if mode is Mode.DELETE:
        return Path.DELETE
    versioned = base_engine(live.engine) == "ReplacingMergeTree" and live.version
    return Path.IN_PLACE if versioned else Path.DELETE_AND_INSERT


def promise(path: Path, removal: Removal) -> str:
    """What readers see on that path."""
    return IN_PLACE_PROMISES[removal] if path is Path.IN_PLACE else PROMISES[path]


def why(live: TargetTable, path: Path, whole: int | None) -> str:
    """Why that path, in a line."""
    if path in {Path.APPEND, Path.DELETE}:
        return f"mode {path}"
    partitions = _partition_words(live, whole)
    edge = {
        Path.IN_PLACE: f"edges in place: ReplacingMergeTree with version {live.version}",
        Path.DELETE_AND_INSERT: f"edges by delete and insert: {live.engine} without a version",
    }[path]
    return f"{partitions}; {edge}"


def _partition_words(live: TargetTable, whole: int | None) -> str:
    if not live.partition_key:
        return "no partition key: no swap"
    if whole is None:
        return f"partition {live.partition_key} depends on more than the time: no swap"
    lie = "partition of {} lies" if whole == 1 else "partitions of {} lie"
    return f"{whole} {lie.format(live.partition_key)} wholly in the range: swap"


def table_notes(live: TargetTable, spec: TableSpec) -> tuple[str, ...]:
    """What else an operator should know before anything runs."""
    notes = [
        f"materialized view {view} reads {live.name}: a swap does not fire it, an insert does"
        for view in live.dependents
    ]
    if spec.version is None:
        notes.append("no version column: the source is fingerprinted again after publish")
    return tuple(notes)
