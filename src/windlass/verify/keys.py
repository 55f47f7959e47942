"""Telling two sets of rows apart by key: what is missing, extra, different, and why.

Tables are Arrow: key columns as canonical text, `hash` (int64). The source's has `excluded`
(exclusion name or null) and holds excluded rows too. Memory: both tables and one join.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class KeyDiff:
    """Keys that differ. `attributed` are extra rows that an exclusion explains, with `excluded`;
    `extra` the unexplained ones; `doubled` keys that the target has more than once, and
    `duplicates` counts its rows beyond one per key."""

    missing: "pa.Table"
    extra: "pa.Table"
    different: "pa.Table"
    attributed: "pa.Table"
    doubled: "pa.Table"
    duplicates: int

    @property
    def rows(self) -> int:
        """Rows that are not as they should be."""
        parts = (self.missing, self.extra, self.different, self.attributed)
        return sum(int(one.num_rows) for one in parts) + self.duplicates

    def names(self, key: Sequence[str]) -> "pa.Table":
        """All keys that differ, each once."""
        import pyarrow as pa

        parts = (self.missing, self.extra, self.different, self.attributed, self.doubled)
        listed = pa.concat_tables([one.select(list(key)) for one in parts])
        return listed.group_by(list(key)).aggregate([])

    def only(self, keys: "pa.Table", key: Sequence[str]) -> "KeyDiff":
        """The part of it that is about those keys."""
        doubled = within(self.doubled, keys, key)
        beyond = sum(doubled["copies"].to_pylist()) - doubled.num_rows
        return KeyDiff(
            missing=within(self.missing, keys, key),
            extra=within(self.extra, keys, key),
            different=within(self.different, keys, key),
            attributed=within(self.attributed, keys, key),
            doubled=doubled,
            duplicates=beyond,
        )

    def attributed_counts(self) -> Mapping[str, int]:
        """`{exclusion: extra rows it explains}`."""
        counted = self.attributed.group_by("excluded").aggregate([("excluded", "count")])
        names, counts = counted["excluded"].to_pylist(), counted["excluded_count"].to_pylist()
        return dict(zip(names, counts, strict=True))


def diff(source: "pa.Table", target: "pa.Table", keys: Sequence[str]) -> KeyDiff:
    """Compare by key, then by hash. A key twice in the target counts as one and a duplicate."""
    import pyarrow.compute as pc

    names = list(keys)
    looks = [("hash", "min"), ("hash", "max"), ("hash", "count")]
    single = _nullable(target).group_by(names).aggregate(looks)
    joined = single.join(source, keys=names, join_type="full outer", use_threads=False)
    in_target, in_source = pc.is_valid(joined["hash_count"]), pc.is_valid(joined["hash"])
    kept = pc.and_(in_source, pc.is_null(joined["excluded"]))
    same = pc.and_(
        pc.equal(joined["hash_min"], joined["hash"]), pc.equal(joined["hash_max"], joined["hash"])
    )
    out = pc.and_(in_source, pc.is_valid(joined["excluded"]))
    many = single.filter(pc.greater(single["hash_count"], 1))
    return KeyDiff(
        missing=_pick(joined, pc.and_not(kept, in_target), names),
        extra=_pick(joined, pc.and_not(in_target, in_source), names),
        different=_pick(
            joined, pc.and_not(pc.and_(kept, in_target), pc.fill_null(same, False)), names
        ),
        attributed=_pick(joined, pc.and_(in_target, out), [*names, "excluded"]),
        doubled=many.select([*names, "hash_count"]).rename_columns([*names, "copies"]),
        duplicates=target.num_rows - single.num_rows,
    )


def gather(
    batches: Iterable["pa.RecordBatch"], target: "pa.Table", keys: Sequence[str]
) -> "pa.Table":
    """The source's rows that `diff` needs: kept ones, and excluded ones that the target has.
    Excluded rows that are rightly absent may be many more than fit into memory."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kept = []
    for batch in batches:
        table = pa.Table.from_batches([batch])
        out = table.filter(pc.is_valid(table["excluded"]))
        kept.append(table.filter(pc.is_null(table["excluded"])))
        if out.num_rows:
            kept.append(within(out, target, keys))
    return pa.concat_tables(kept) if kept else _no_rows(keys)


def within(rows: "pa.Table", keys: "pa.Table", key: Sequence[str]) -> "pa.Table":
    """The rows with these keys; or, where `keys` are none, none."""
    names = list(key)
    found = rows.join(keys.select(names), keys=names, join_type="left semi", use_threads=False)
    return found.select(rows.column_names)


def without(rows: "pa.Table", keys: "pa.Table", key: Sequence[str]) -> "pa.Table":
    """The rows with other keys than these."""
    names = list(key)
    found = rows.join(keys.select(names), keys=names, join_type="left anti", use_threads=False)
    return found.select(rows.column_names)


def _nullable(table: "pa.Table") -> "pa.Table":
    """The table with columns that may be NULL: schemas of both sides must be alike."""
    import pyarrow as pa

    return table.cast(pa.schema([pa.field(one.name, one.type) for one in table.schema]))


def _no_rows(keys: Sequence[str]) -> "pa.Table":
    import pyarrow as pa

    names = [*((name, pa.string()) for name in keys), ("hash", pa.int64())]
    return pa.schema([*names, ("excluded", pa.string())]).empty_table()


def _pick(table: "pa.Table", mask: "pa.ChunkedArray", columns: list[str]) -> "pa.Table":
    return table.filter(mask).select(columns)
