"""Catch-up over shards: rows go where they belong, and leave where their keys were before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from windlass.domain.plan import TablePlan
from windlass.domain.schema import TargetTable
from windlass.ports import Pulse
from windlass.target.chdbdigest import texts_of
from windlass.target.clickhouse import ClickHouseTarget
from windlass.target.sharding import Router
from windlass.target.strays import Strays, distinct

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Mending:
    """One catch-up of one slice; `shards` are adapters with their local tables, in order."""

    shards: Sequence[tuple[ClickHouseTarget, TargetTable]]
    live: TargetTable
    strays: Strays
    plan: TablePlan
    exact: bool
    pulse: Pulse

    def apply(self, upsert: "pa.Table | None", remove: "pa.Table | None") -> None:
        """First every row comes to its shard, then its key leaves all others."""
        going = [remove] if remove is not None and remove.num_rows else []
        leaving = [list(going) for _ in self.shards]
        if upsert is not None and upsert.num_rows:
            for at, keys in enumerate(self._put(upsert)):
                leaving[at].append(keys)
        for at, tables in enumerate(leaving):
            self._take(at, tables)

    def _put(self, upsert: "pa.Table") -> "list[pa.Table]":
        """Put the rows in; per shard, the keys (canonical text) that belong on another one."""
        import pyarrow.compute as pc

        pairs = self.strays.pairs
        names = list(self.strays.piece.table.key)
        keys = texts_of([pair for pair in pairs if pair.name in names], upsert)
        places = self._places(upsert, keys)
        for at in range(len(self.shards)):
            here = upsert.filter(pc.equal(places, at))
            if here.num_rows:
                self._apply(at, here, None)
        return [keys.filter(pc.not_equal(places, at)) for at in range(len(self.shards))]

    def _take(self, at: int, tables: "Sequence[pa.Table]") -> None:
        import pyarrow as pa

        names = list(self.strays.piece.table.key)
        if not tables:
            return
        keys = distinct(pa.concat_tables([_plain(one.select(names)) for one in tables]))
        if keys.num_rows:
            self._apply(at, None, keys)

    def _apply(self, at: int, upsert: "pa.Table | None", remove: "pa.Table | None") -> None:
        target, local = self.shards[at]
        one = self.strays
        target.apply(
            local,
            one.piece,
            one.pairs,
            self.plan,
            upsert,
            remove,
            one.attempt,
            exact=self.exact,
            pulse=self.pulse,
        )

    def _places(self, upsert: "pa.Table", keys: "pa.Table") -> "pa.Array":
        """The position of each row's shard. Where no key says so, the one that has it already."""
        import pyarrow as pa

        behind = self.live.shards
        assert behind is not None, "only a Distributed table is mended over shards"
        if behind.steady:
            return Router(self.live, behind).places(upsert.combine_chunks().to_batches()[0])
        names = keys.column_names
        home = {
            tuple(row[name] for name in names): at
            for at, found in enumerate(self.strays.living(distinct(keys)))
            for row in found.to_pylist()
        }
        rows = [tuple(row[name] for name in names) for row in keys.to_pylist()]
        count = len(self.shards)
        return pa.array([home.get(row, n % count) for n, row in enumerate(rows)], pa.uint16())


def _plain(table: "pa.Table") -> "pa.Table":
    """Keys as plain strings, whichever string type they came in."""
    import pyarrow as pa

    return table.cast(pa.schema([(name, pa.string()) for name in table.column_names]))
