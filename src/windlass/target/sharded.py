"""The target adapter for clusters: a Distributed table is rebuilt on each of its shards.

Whatever is no Distributed table goes to the server of target.url, as ever. Of one that is, each
shard stages, compares and publishes its own rows; what is counted is summed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from windlass.domain.attempt import Attempt, Staging
from windlass.domain.dataset import Slice
from windlass.domain.plan import GroupTable, TablePlan
from windlass.domain.results import Digest, Removed
from windlass.domain.schema import ColumnPair, TargetTable
from windlass.domain.window import Interval
from windlass.ports import Ask, Census, Pulse
from windlass.target.chdbdigest import ChdbDigest
from windlass.target.each import insert_into, summed, to_all, total
from windlass.target.lanes import Lanes
from windlass.target.mending import Mending
from windlass.target.shardedkeeping import ShardedKeeping
from windlass.target.sharding import Router
from windlass.target.strays import Place, Strays

if TYPE_CHECKING:
    import pyarrow as pa


class ShardedTarget(ShardedKeeping):
    """`windlass.ports.Target` over the server at `url` and the shards behind its Distributed
    tables. `given` are URLs by shard number or host, `connect` makes an adapter for a URL."""

    def close(self) -> None:
        """Close the connections."""
        self._resolver.close()

    def describe(self, database: str, table: str) -> TargetTable | None:
        """See ports.Target. A Distributed table is described as what stands behind it."""
        return self.describe_all([database], [table]).get((database, table))

    def describe_all(
        self, databases: Sequence[str], tables: Sequence[str]
    ) -> dict[tuple[str, str], TargetTable]:
        """See ports.Target."""
        met = self._front.describe_all(databases, tables)
        found = {name: one for name, table in met.items() if (one := self._resolved(table))}
        for table in found.values():
            self._learn(table)
        return found

    def _resolved(self, table: TargetTable) -> TargetTable | None:
        if table.engine != "Distributed":
            return table
        return self._resolver.resolve(table.database, table.name, table.dependents)

    def databases(self) -> list[str]:
        """See ports.Target."""
        return self._front.databases()

    def whole_ranges(self, live: TargetTable, time: str, within: Interval) -> list[Interval] | None:
        """See ports.Target. All shards have one partition key: the first one is asked."""
        target, local = self._some(live)[0]
        return target.whole_ranges(local, time, within)

    def examine(
        self, tables: Sequence[tuple[TargetTable, str]], within: Interval
    ) -> list[list[str]]:
        """See ports.Target. What several shards say alike is said once. PlanError: the sharding
        key cannot be evaluated here."""
        own = [one for one in tables if one[0].shards is None]
        said = iter(self._front.examine(own, within))
        return [
            self._examined(live, time, within) if live.shards else next(said)
            for live, time in tables
        ]

    def _examined(self, live: TargetTable, time: str, within: Interval) -> list[str]:
        assert live.shards is not None
        sent = [one.name for one in live.columns if not one.default_kind]
        Router(live, live.shards).check(sent)
        said = self._each(live, lambda target, local: target.examine([(local, time)], within))
        return list(dict.fromkeys(line for (lines,) in said for line in lines))

    def count(self, live: TargetTable, time: str, steps: Sequence[Interval]) -> list[int]:
        """See ports.Target."""
        counts = self._each(live, lambda target, local: target.count(local, time, steps))
        return [sum(one) for one in zip(*counts, strict=True)]

    def count_sql(self, live: TargetTable, piece: Slice) -> str:
        """See ports.Target. It counts through the Distributed table."""
        return self._front.count_sql(live, piece)

    def census(self, asks: Sequence[Ask], attempt: Attempt) -> list[Census]:
        """See ports.Target."""
        own = [ask for ask in asks if ask.live.shards is None]
        counted = iter(self._front.census(own, attempt))
        return [self._summed(ask, attempt) if ask.live.shards else next(counted) for ask in asks]

    def _summed(self, ask: Ask, attempt: Attempt) -> Census:
        found = self._each(
            ask.live,
            lambda target, local: target.census([replace(ask, live=local)], attempt),
        )
        counts = zip(*(counts for ((counts, _),) in found), strict=True)
        return [sum(one) for one in counts], sum(foreign for ((_, foreign),) in found)

    def digester(self, pairs: Sequence[ColumnPair]) -> ChdbDigest:
        """See ports.Target."""
        return self._front.digester(pairs)

    def stage(self, live: TargetTable, staging: Staging) -> None:
        """See ports.Target."""
        self._remember(live, staging.attempt)
        self._each(live, lambda target, local: target.stage(local, staging))

    def insert(self, staging: Staging, batches: Iterable["pa.RecordBatch"], pulse: Pulse) -> None:
        """See ports.Target. Rows go to the shard that the sharding key names; keys kept out go to
        all of them."""
        live = self._live_of(staging)
        if live is None or live.shards is None:
            self._front.insert(staging, batches, pulse)
            return
        inserts = [
            partial(insert_into, target, member, live.shards.cluster, staging)
            for target, member in self._members(live)
        ]
        if staging.purpose == "rows":
            dealt = Router(live, live.shards).deal(iter(batches))
        else:
            dealt = to_all(batches, len(inserts))
        Lanes(inserts).run(dealt, pulse)

    def staged_rows(self, staging: Staging) -> int:
        """See ports.Target."""
        return sum(self._on_all(staging, lambda target, _: target.staged_rows(staging)))

    def staged(
        self,
        staging: Staging,
        pairs: Sequence[ColumnPair],
        within: Interval | None = None,
        time: str = "",
        *,
        md5: bool = False,
    ) -> Digest:
        """See ports.Target."""
        return total(
            self._on_all(
                staging, lambda target, _: target.staged(staging, pairs, within, time, md5=md5)
            )
        )

    def stage_excluded(self, staging: Staging, keys: Sequence[str]) -> None:
        """See ports.Target. Every shard gets them."""
        live = self._live_of(staging)
        if live:
            self._remember(live, staging.attempt)
        self._on_all(staging, lambda target, _: target.stage_excluded(staging, keys))

    def removed(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        rows: Sequence[Staging],
        excluded: Staging | None,
        attempt: Attempt,
    ) -> Removed:
        """See ports.Target. A row that only changes its shard is not removed."""
        if live.shards is None:
            return self._front.removed(live, piece, pairs, rows, excluded, attempt)
        self._remember(live, attempt)
        alone = self._each(
            live, lambda target, local: target.removed(local, piece, pairs, rows, None, attempt)
        )
        return self._strays(live, piece, pairs, rows, attempt).removed(alone, excluded)

    def gone_keys(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        rows: Sequence[Staging],
        excluded: Staging | None,
        limit: int,
        attempt: Attempt,
    ) -> "pa.Table":
        """See ports.Target."""
        if live.shards is None:
            return self._front.gone_keys(live, piece, pairs, rows, excluded, limit, attempt)
        self._remember(live, attempt)
        return self._strays(live, piece, pairs, rows, attempt).gone_keys(excluded, limit)

    def publish(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        plan: TablePlan,
        group: GroupTable,
        rows: Sequence[Staging],
        attempt: Attempt,
        pulse: Pulse,
        newer_than: datetime | None = None,
    ) -> Mapping[str, int | str]:
        """See ports.Target. One shard after the other; each is safe to repeat."""
        self._remember(live, attempt)
        facts = self._in_turn(
            live,
            lambda target, local: target.publish(
                local, piece, pairs, plan, group, rows, attempt, pulse, newer_than
            ),
        )
        return summed(facts) | ({"shards": len(facts)} if live.shards else {})

    def differing(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        rows: Sequence[Staging],
        limit: int,
        attempt: Attempt,
    ) -> "pa.Table":
        """See ports.Target."""
        return self._joined(
            live,
            lambda target, local: target.differing(local, piece, pairs, rows, limit, attempt),
        ).slice(0, limit)

    def apply(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        plan: TablePlan,
        upsert: "pa.Table | None",
        remove: "pa.Table | None",
        attempt: Attempt,
        *,
        exact: bool = False,
        pulse: Pulse = lambda _rows: None,
    ) -> None:
        """See ports.Target. A key that belongs on another shard now comes there first, then goes
        where it was: for a moment readers see it twice, never not at all."""
        if live.shards is None:
            self._front.apply(
                live, piece, pairs, plan, upsert, remove, attempt, exact=exact, pulse=pulse
            )
            return
        self._remember(live, attempt)
        strays = self._strays(live, piece, pairs, (), attempt)
        mending = Mending(self._some(live), live, strays, plan, exact, pulse)
        mending.apply(upsert, remove)

    def staged_keys(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        rows: Sequence[Staging],
        keys: "pa.Table",
        attempt: Attempt,
    ) -> "pa.Table":
        """See ports.Target."""
        self._remember(live, attempt)
        return self._joined(
            live, lambda target, local: target.staged_keys(local, piece, pairs, rows, keys, attempt)
        )

    def digest(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        steps: Sequence[Interval] = (),
        attempt: Attempt | None = None,
    ) -> list[Digest]:
        """See ports.Target."""
        return self._totals(
            live, lambda target, local: target.digest(local, piece, pairs, steps, attempt)
        )

    def rows_as_staged(
        self,
        live: TargetTable,
        piece: Slice,
        steps: Sequence[Interval],
        rows: Sequence[Staging],
        attempt: Attempt,
    ) -> list[int] | None:
        """See ports.Target. All shards must be as staged."""
        found = self._each(
            live, lambda target, local: target.rows_as_staged(local, piece, steps, rows, attempt)
        )
        counts = [one for one in found if one is not None]
        if len(counts) < len(found):
            return None
        return [sum(one) for one in zip(*counts, strict=True)]

    def fingerprints(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        steps: Sequence[Interval],
        attempt: Attempt,
    ) -> list[Digest]:
        """See ports.Target."""
        return self._totals(
            live, lambda target, local: target.fingerprints(local, piece, pairs, steps, attempt)
        )

    def digest_by_key(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        of: int,
        attempt: Attempt,
    ) -> list[Digest]:
        """See ports.Target."""
        return self._totals(
            live, lambda target, local: target.digest_by_key(local, piece, pairs, of, attempt)
        )

    def rows_by_hash(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        attempt: Attempt | None = None,
        bucket: tuple[int, int] | None = None,
    ) -> "pa.Table":
        """See ports.Target."""
        return self._joined(
            live,
            lambda target, local: target.rows_by_hash(local, piece, pairs, attempt, bucket),
        )

    def rows_of_keys(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        keys: "pa.Table",
        attempt: Attempt,
    ) -> "pa.Table":
        """See ports.Target."""
        return self._joined(
            live, lambda target, local: target.rows_of_keys(local, piece, pairs, keys, attempt)
        )

    def texts(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        keys: "pa.Table",
        attempt: Attempt,
    ) -> "pa.Table":
        """See ports.Target."""
        return self._joined(
            live, lambda target, local: target.texts(local, piece, pairs, keys, attempt)
        )

    def _strays(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        rows: Sequence[Staging],
        attempt: Attempt,
    ) -> Strays:
        places = [Place(target.area, local) for target, local in self._some(live)]
        return Strays(places, piece, pairs, rows, attempt)
