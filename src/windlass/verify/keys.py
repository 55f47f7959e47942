"""Telling two sets of rows apart by key: what is missing, extra, different, and why.

Tables are Arrow: key columns as canonical text, `hash` (int64). The source's has `excluded`
(exclusion name or null) and holds excluded rows too. Memory: both tables and one join.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class KeyDiff:
    """Keys that differ. `attributed` are extra rows that an exclusion explains, with `excluded`;
    `extra` the unexplained ones; `duplicates` counts target rows beyond one per key."""

    missing: "pa.Table"
    extra: "pa.Table"
    different: "pa.Table"
    attributed: "pa.Table"
    duplicates: int

    def attributed_counts(self) -> Mapping[str, int]:
        """`{exclusion: extra rows it explains}`."""
        counted = self.attributed.group_by("excluded").aggregate([("excluded", "count")])
        names, counts = counted["excluded"].to_pylist(), counted["excluded_count"].to_pylist()
        return dict(zip(names, counts, strict=True))


def diff(source: "pa.Table", target: "pa.Table", keys: Sequence[str]) -> KeyDiff:
    """Compare by key, then by hash. A key twice in the target counts as one and a duplicate."""
    import pyarrow.compute as pc

    names = list(keys)
    single = target.group_by(names).aggregate([("hash", "min"), ("hash", "max"), ("hash", "count")])
    joined = single.join(source, keys=names, join_type="full outer", use_threads=False)
    in_target, in_source = pc.is_valid(joined["hash_count"]), pc.is_valid(joined["hash"])
    kept = pc.and_(in_source, pc.is_null(joined["excluded"]))
    same = pc.and_(
        pc.equal(joined["hash_min"], joined["hash"]), pc.equal(joined["hash_max"], joined["hash"])
    )
    out = pc.and_(in_source, pc.is_valid(joined["excluded"]))
    return KeyDiff(
        missing=_pick(joined, pc.and_not(kept, in_target), names),
        extra=_pick(joined, pc.and_not(in_target, in_source), names),
        different=_pick(
            joined, pc.and_not(pc.and_(kept, in_target), pc.fill_null(same, False)), names
        ),
        attributed=_pick(joined, pc.and_(in_target, out), [*names, "excluded"]),
        duplicates=target.num_rows - single.num_rows,
    )


def _pick(table: "pa.Table", mask: "pa.ChunkedArray", columns: list[str]) -> "pa.Table":
    return table.filter(mask).select(columns)
