"""Undo over shards: each shard keeps and puts back its own partitions, named with its number."""

from collections.abc import Iterable, Mapping, Sequence

from windlass.domain.attempt import Attempt, Staging
from windlass.domain.dataset import Slice
from windlass.domain.plan import GroupTable
from windlass.domain.results import Digest
from windlass.domain.schema import ColumnPair, TargetTable
from windlass.domain.undo import KeptTable, Leftover, Prints
from windlass.ports import Pulse
from windlass.target.clickhouse import ClickHouseTarget
from windlass.target.each import Each, summed, total


class ShardedKeeping(Each):
    """`windlass.ports.undo.KeepingTarget` over shards."""

    def keep(
        self, live: TargetTable, piece: Slice, group: GroupTable, attempt: Attempt, pulse: Pulse
    ) -> KeptTable:
        """See ports.KeepingTarget."""
        self._remember(live, attempt)
        kept = self._in_turn(
            live, lambda target, local: target.keep(local, piece, group, attempt, pulse)
        )
        if live.shards is None:
            return kept[0]
        before = self._named(live, [one.before for one in kept])
        return KeptTable(kept[0].name, before, sum(one.bytes for one in kept))

    def prints(
        self, live: TargetTable, piece: Slice, group: GroupTable, attempt: Attempt, pulse: Pulse
    ) -> Prints:
        """See ports.KeepingTarget."""
        found = self._in_turn(
            live, lambda target, local: target.prints(local, piece, group, attempt, pulse)
        )
        return found[0] if live.shards is None else self._named(live, found)

    def proofs(
        self,
        live: TargetTable,
        rows: Sequence[Staging],
        pairs: Sequence[ColumnPair],
        attempt: Attempt,
        pulse: Pulse,
        *,
        prints: bool,
    ) -> tuple[list[Digest], Prints]:
        """See ports.KeepingTarget."""
        self._remember(live, attempt)

        def prove(target: ClickHouseTarget, local: TargetTable) -> tuple[list[Digest], Prints]:
            return target.proofs(local, rows, pairs, attempt, pulse, prints=prints)

        found = self._each(live, prove)
        if live.shards is None:
            return found[0]
        digests = [total(one) for one in zip(*(held for held, _ in found), strict=True)]
        return digests, self._named(live, [looks for _, looks in found])

    def restore(
        self,
        live: TargetTable,
        piece: Slice,
        group: GroupTable,
        kept: KeptTable,
        attempt: Attempt,
        pulse: Pulse,
    ) -> Mapping[str, int]:
        """See ports.KeepingTarget. One shard after the other."""
        if live.shards is None:
            return self._front.restore(live, piece, group, kept, attempt, pulse)
        self._remember(live, attempt)
        numbers = iter(one.number for one in live.shards.members)

        def put_back(target: ClickHouseTarget, local: TargetTable) -> Mapping[str, int]:
            mine = KeptTable(kept.name, _of_shard(kept.before, next(numbers)))
            return target.restore(local, piece, group, mine, attempt, pulse)

        facts = summed(self._in_turn(live, put_back))
        return {name: int(value) for name, value in facts.items()}

    def leftovers(self) -> list[Leftover]:
        """See ports.KeepingTarget. A table of that name on several servers is told once."""
        found: dict[str, Leftover] = {}
        for target in self._everywhere():
            for one in target.leftovers():
                found.setdefault(one.name, one)
        return list(found.values())

    def drop_leftover(self, found: Leftover) -> bool:
        """See ports.KeepingTarget. It goes on every server that has it."""
        return any([target.drop_leftover(found) for target in self._everywhere()])

    def statements(self) -> list[tuple[str, float]]:
        """See ports.KeepingTarget."""
        return [one for target in self._everywhere() for one in target.statements()]

    def _everywhere(self) -> list[ClickHouseTarget]:
        """The front and all shards behind its Distributed tables."""
        found = [self._front]
        for cluster in sorted(self._resolver.clusters()):
            found += [t for t in self._resolver.servers(cluster).values() if t not in found]
        return found

    def _named(self, live: TargetTable, prints: Iterable[Prints]) -> Prints:
        assert live.shards is not None, "only shards have numbers"
        return {
            f"{shard.number}/{partition}": digest
            for shard, some in zip(live.shards.members, prints, strict=True)
            for partition, digest in some.items()
        }


def _of_shard(prints: Prints, number: int) -> Prints:
    mark = f"{number}/"
    return {name[len(mark) :]: one for name, one in prints.items() if name.startswith(mark)}
