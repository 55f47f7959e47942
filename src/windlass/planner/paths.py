"""Which publish path fits a table, and what it promises to readers (docs/publish.md)."""

from collections.abc import Iterator, Sequence

from windlass.domain.dataset import TableSpec
from windlass.domain.schema import Removal, Shards, TargetTable
from windlass.domain.states import Mode, Path
from windlass.domain.window import Interval
from windlass.planner.engines import base_engine

PROMISES = {
    Path.SWAP: "readers see each partition old or new, never between",
    Path.APPEND: "readers see the old rows, then old and new; a partition at once",
    Path.DELETE: "whole partitions vanish at once; rows at the edges by deletes",
    Path.DELETE_AND_INSERT: "readers see a short gap between delete and insert, measured and "
    "reported",
}

IN_PLACE_PROMISES = {
    Removal.PATCH: "readers with FINAL see no gap and no doubles, in two steps: what is new comes, "
    "a partition at once, then stale rows vanish at once",
    Removal.TOMBSTONE: "readers with FINAL see no gap and no doubles, in two steps: what is new "
    "comes, a partition at once, then stale rows vanish at once",
    Removal.LIGHTWEIGHT: "readers with FINAL see no gap; while stale rows are deleted they may "
    "see intermediate sums",
}


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


def alternative(live: TargetTable, edge: Path, whole: Sequence[Interval] | None) -> str:
    """What to change so that readers see old or new where the edge path cannot promise it; ''
    where it can."""
    ways = list(_aligned(live, whole))
    if edge is Path.DELETE_AND_INSERT:
        ways.append("make it a ReplacingMergeTree with a version column: then there is no gap")
    elif edge is not Path.IN_PLACE:
        return ""
    elif live.removal is Removal.LIGHTWEIGHT:
        ways.append(_patches(live))
    return "; or ".join(ways)


def _patches(live: TargetTable) -> str:
    blocks = (
        "ALTER TABLE … MODIFY SETTING enable_block_number_column = 1, "
        "enable_block_offset_column = 1 (ClickHouse 25.8 or later): then stale rows vanish at once"
    )
    if not live.projections:
        return blocks
    names = ", ".join(live.projections)
    return f"take the projections away ({names}), which rule out patch deletes, and {blocks}"


def _aligned(live: TargetTable, whole: Sequence[Interval] | None) -> Iterator[str]:
    """Ranges of whole partitions are swapped; the plan knows which of this range are."""
    if not live.partition_key or whole is None:
        return
    here = f" (of this range {whole[0].start:%F} .. {whole[-1].end:%F})" if whole else ""
    yield (
        f"let START and END lie between partitions of {live.partition_key}{here}: "
        "whole partitions are swapped, readers see old or new"
    )


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


def table_notes(live: TargetTable, spec: TableSpec, found: Sequence[str] = ()) -> tuple[str, ...]:
    """What else an operator should know before anything runs; `found` as in Target.examine."""
    notes = [*_shard_notes(live, live.shards)] if live.shards else []
    if base_engine(live.engine) != live.engine:
        notes.append(
            f"{live.engine}: staging lies on one replica, live copies itself to the others; "
            "readers of another replica see each partition a moment later"
        )
    if spec.version is None:
        notes.append("no version column: the source is fingerprinted again after publish")
    return (*notes, *found)


def _shard_notes(live: TargetTable, shards: Shards) -> list[str]:
    hosts = ", ".join(f"{one.number} {one.host}" for one in shards.members)
    local = shards.members[0].table
    notes = [
        f"Distributed over {len(shards.members)} shards of {shards.cluster} ({hosts}), local table "
        f"{local.database}.{local.name}: each shard is published by itself, one after the other, "
        "so readers through it see each shard's partition old or new"
    ]
    if not shards.steady:
        notes.append(
            f"the sharding key ({shards.key or 'none'}) does not say where a row belongs: rows are "
            "dealt out anew, most change their shard"
        )
    elif live.replacing:
        notes.append(
            f"FINAL works per shard: where {shards.key} of a row changes, its older version shows "
            "beside it until the catch-up has removed it"
        )
    return notes
