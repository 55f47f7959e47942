"""What a rebuild removes when rows lie on several shards.

A row that lives on another shard than the one its key is staged for is no row gone: it moves. So
keys that a shard's own staging lacks are looked for in the staging of all others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from windlass.domain.attempt import Attempt, Staging
from windlass.domain.dataset import Slice
from windlass.domain.results import Removed
from windlass.domain.schema import ColumnPair, TargetTable
from windlass.target import compare
from windlass.target.client import fill
from windlass.target.names import quote, quoted
from windlass.target.settings import HEAVY
from windlass.target.slices import View
from windlass.target.staging import StagingArea
from windlass.verify.canonical import fill as fill_template

if TYPE_CHECKING:
    import pyarrow as pa

_ALL = 10**15

_STAGED_HERE = """
SELECT $names, __lives FROM (
  SELECT $texts, ($key) IN (SELECT $plain FROM $live $final WHERE $inside) AS __lives
  FROM (SELECT DISTINCT $plain FROM ($staged)) AS k
) WHERE ($names) IN (SELECT $names FROM $suspects)
"""
_LIVE_HERE = """
SELECT $names FROM (
  SELECT $texts FROM (SELECT DISTINCT $plain FROM $live $final WHERE $inside) AS k
) WHERE ($names) IN (SELECT $names FROM $suspects)
"""
_ATTRIBUTED = """
SELECT excluded, count()
FROM (SELECT $names, min(excluded) AS excluded FROM $kept_out GROUP BY $names)
WHERE ($names) IN (SELECT $names FROM $gone)
GROUP BY excluded
"""
_UNKNOWN = """
SELECT $names FROM $gone WHERE ($names) NOT IN (SELECT $names FROM $kept_out) LIMIT $limit
"""


@dataclass(frozen=True)
class Place:
    """One shard as these questions see it: its staging area, and its local table."""

    area: StagingArea
    live: TargetTable


@dataclass(frozen=True)
class Strays:
    """One slice over all its shards; `rows` is the windows' staging, on each shard by the same
    name."""

    places: Sequence[Place]
    piece: Slice
    pairs: Sequence[ColumnPair]
    rows: Sequence[Staging]
    attempt: Attempt

    def removed(self, alone: Sequence[Removed], kept_out: Staging | None) -> Removed:
        """`alone` is what each shard would lose by itself; together they lose less."""
        before, raw = sum(one.before for one in alone), sum(one.raw for one in alone)
        double = sum(one.duplicates for one in alone)
        if not any(one.gone for one in alone):
            return Removed(before, raw, 0, duplicates=double)
        suspects, gone, moved_onto = self._gone()
        double += suspects.num_rows - distinct(suspects).num_rows + moved_onto
        named = self._attributed(gone, kept_out) if kept_out and gone.num_rows else {}
        unexplained = gone.num_rows - sum(named.values())
        return Removed(
            before, raw, gone.num_rows, named, duplicates=double, unexplained=unexplained
        )

    def gone_keys(self, kept_out: Staging | None, limit: int) -> "pa.Table":
        """Keys that no shard's staging has, nor `kept_out`; at most `limit`."""
        _, gone, _ = self._gone()
        if kept_out is None or not gone.num_rows:
            return gone.slice(0, limit)
        place = self.places[0]
        table = self._note(place, gone)
        statement = fill(
            _UNKNOWN,
            names=self._names,
            gone=place.area.ref(table),
            kept_out=place.area.ref(kept_out),
            limit=limit,
        )
        return place.area.server.arrow(statement, self.attempt.tag, settings=HEAVY)

    def living(self, keys: "pa.Table") -> "list[pa.Table]":
        """Per shard, which of these keys (canonical text) live there in the slice."""

        def ask(place: Place) -> "pa.Table":
            view = View.of(place.live, self.piece, self.pairs)
            statement = fill(_LIVE_HERE, suspects=self._noted(place, keys), **self._shared(view))
            return place.area.server.arrow(statement, self.attempt.tag, settings=HEAVY)

        return [ask(place) for place in self.places]

    def _gone(self) -> "tuple[pa.Table, pa.Table, int]":
        """Keys that their own shard's staging lacks, with repeats; those of them that no shard's
        staging has; and how many of the others live on the shard that they are staged for."""
        import pyarrow as pa
        import pyarrow.compute as pc

        suspects = pa.concat_tables([self._lacking(place) for place in self.places]).select(
            self._key
        )
        once = distinct(suspects)
        if not self.rows or not once.num_rows:
            return suspects, once, 0
        here = pa.concat_tables([self._staged_here(place, once) for place in self.places])
        gone = once.join(here.select(self._key), self._key, join_type="left anti")
        return suspects, gone, pc.sum(here["__lives"]).as_py() or 0

    def _lacking(self, place: Place) -> "pa.Table":
        view = View.of(place.live, self.piece, self.pairs)
        staged = [place.area.ref(one) for one in self.rows]
        return compare.gone_keys(place.area.server, view, staged, None, _ALL, self.attempt.tag)

    def _staged_here(self, place: Place, keys: "pa.Table") -> "pa.Table":
        view = View.of(place.live, self.piece, self.pairs)
        staged = [
            f"SELECT {view.key} FROM {place.area.ref(one)} WHERE {view.visible}"
            for one in self.rows
        ]
        statement = fill(
            _STAGED_HERE,
            key=", ".join(f"k.{quote(name)}" for name in self._key),
            staged=" UNION ALL ".join(staged),
            suspects=self._noted(place, keys),
            **self._shared(view),
        )
        return place.area.server.arrow(statement, self.attempt.tag, settings=HEAVY)

    def _shared(self, view: View) -> dict[str, str]:
        texts = ", ".join(
            f"{fill_template(view.pair(name).target_text, f'k.{quote(name)}')} AS {quote(name)}"
            for name in self._key
        )
        return {
            "names": self._names,
            "texts": texts,
            "plain": view.key,
            "live": view.table,
            "final": view.final,
            "inside": view.inside,
        }

    def _attributed(self, gone: "pa.Table", kept_out: Staging) -> dict[str, int]:
        place = self.places[0]
        statement = fill(
            _ATTRIBUTED,
            names=self._names,
            kept_out=place.area.ref(kept_out),
            gone=self._noted(place, gone),
        )
        found = place.area.server.rows(statement, self.attempt.tag, settings=HEAVY)
        return {str(name): int(rows) for name, rows in found}

    def _noted(self, place: Place, keys: "pa.Table") -> str:
        return place.area.ref(self._note(place, keys))

    def _note(self, place: Place, keys: "pa.Table") -> Staging:
        """A table of the attempt with these keys, made afresh."""
        table = Staging(self.attempt, place.live.name, "suspects")
        place.area.create_keys(table, self._key)
        place.area.insert(table, keys.select(self._key).to_batches(), lambda _rows: None)
        return table

    @property
    def _key(self) -> list[str]:
        return list(self.piece.table.key)

    @property
    def _names(self) -> str:
        return quoted(self._key)


def distinct(table: "pa.Table") -> "pa.Table":
    """Each row once."""
    return table.group_by(table.column_names).aggregate([])
