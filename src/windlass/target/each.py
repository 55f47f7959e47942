"""One deed on every shard of a table, and which shards an attempt has left its traces on."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from windlass.domain.attempt import Attempt, Staging
from windlass.domain.errors import WindlassError
from windlass.domain.health import Reading
from windlass.domain.results import Digest
from windlass.domain.schema import Shard, TargetTable
from windlass.ports import Pulse
from windlass.target.clickhouse import ClickHouseTarget
from windlass.target.client import fill
from windlass.target.health import worst_of
from windlass.target.names import literal, quote
from windlass.target.resolve import Connect, Resolver, naming

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")
Deed = Callable[[ClickHouseTarget, TargetTable], T]
"""What is done on one shard, with its adapter and its local table."""
Finding = tuple[str, str, str]

_AT_ONCE = 8
_MARKS = """
SELECT DISTINCT substring(table, 1, 28) AS __mark, name FROM system.columns
WHERE database = {database:String} AND __mark IN ($marks)
"""


class Each:
    """The server at `url`, and the shards behind its Distributed tables.

    Before an attempt does anything on shards, a marker in the front's staging database, named by
    the attempt, says on which clusters: whoever kills or sweeps it later, in whatever process,
    finds them by it.
    """

    def __init__(self, url: str, given: Mapping[str, str], connect: Connect) -> None:
        self._front = connect(url)
        self._resolver = Resolver(self._front, url, given, connect)
        self._known: dict[tuple[str, str], TargetTable] = {}
        self._marked: dict[str, set[str]] = {}

    def kill(self, *tags: str) -> int:
        """See ports.Target."""
        clusters = set[str]().union(*self._marks(tags).values())
        return sum(target.kill(*tags) for target in self._traces(clusters))

    def running(self, tag: str) -> int:
        """See ports.Target."""
        known = self._marked.get(_token(tag), set())
        return sum(target.running(tag) for target in self._traces(known))

    def sweep(self, *attempts: Attempt) -> int:
        """See ports.Target. The front comes last: its markers say where else to look."""
        marks = self._marks([attempt.tag for attempt in attempts])
        traces = self._traces(set[str]().union(*marks.values()))
        swept = sum(target.sweep(*attempts) for target in traces)
        for attempt in attempts:
            self._marked.pop(attempt.token, None)
        return swept - sum(map(len, marks.values()))

    def health(self, tables: Sequence[tuple[str, str]]) -> list[Reading]:
        """See ports.HealthyTarget. The shards behind these tables, too, where known."""
        known = [live for name in tables if (live := self._known.get(name)) and live.shards]
        asked = [partial(self._front.health, tables)]
        for live in known:
            asked += [
                partial(target.health, [(shard.table.database, shard.table.name)])
                for target, shard in self._members(live)
            ]
        return worst_of(asked)

    def check(self) -> list[Finding]:
        """See ports.Target. Shards are checked too, each finding with its shard."""
        found = self._front.check()
        if found and found[0][0] == "fail":
            return found
        try:
            for cluster in sorted(self._resolver.clusters()):
                for number, target in self._resolver.servers(cluster).items():
                    label = f"shard {number} of {cluster}: "
                    found += [(level, label + what, step) for level, what, step in target.check()]
        except WindlassError as error:
            found.append(("warn", f"{error.where}: {error.what}: {error.why}", error.next_step))
        return found

    def grants(self, databases: Sequence[str]) -> list[str]:
        """The GRANT statements that Windlass needs, on the front and on each shard."""
        return self._front.grants(databases)

    def _learn(self, live: TargetTable) -> None:
        self._known[(live.database, live.name)] = live

    def _live_of(self, staging: Staging) -> TargetTable | None:
        """The live table that the staging is for, as it was last described."""
        key = (staging.database, staging.table)
        return self._known.get(key) or self.describe(*key)

    def describe(self, database: str, table: str) -> TargetTable | None:
        """See ports.Target."""
        raise NotImplementedError

    def _members(self, live: TargetTable) -> list[tuple[ClickHouseTarget, Shard]]:
        """The shards, in order, each with its adapter."""
        if live.shards is None:
            return []
        servers = self._resolver.servers(live.shards.cluster)
        return [(servers[one.number], one) for one in live.shards.members]

    def _some(self, live: TargetTable) -> list[tuple[ClickHouseTarget, TargetTable]]:
        """Adapter and local table of each shard; the front's own of a table that has none."""
        if live.shards is None:
            return [(self._front, live)]
        return [(target, shard.table) for target, shard in self._members(live)]

    def _each(self, live: TargetTable, deed: Deed[T]) -> list[T]:
        """The deed on all shards at once; their answers in order. The first that fails says
        which shard it was."""
        if live.shards is None:
            return [deed(self._front, live)]
        cluster, members = live.shards.cluster, self._members(live)
        with ThreadPoolExecutor(min(_AT_ONCE, len(members))) as pool:
            asked = [
                pool.submit(copy_context().run, _on_one, deed, target, shard, cluster)
                for target, shard in members
            ]
            return [one.result() for one in asked]

    def _in_turn(self, live: TargetTable, deed: Deed[T]) -> list[T]:
        """The deed on one shard after the other."""
        if live.shards is None:
            return [deed(self._front, live)]
        cluster = live.shards.cluster
        return [_on_one(deed, target, shard, cluster) for target, shard in self._members(live)]

    def _on_all(self, staging: Staging, deed: Deed[T]) -> list[T]:
        """The deed on every shard that the staging lies on."""
        live = self._live_of(staging) if staging.database else None
        if live is None or live.shards is None:
            return [deed(self._front, live or _NOWHERE)]
        return self._each(live, deed)

    def _joined(self, live: TargetTable, deed: "Deed[pa.Table]") -> "pa.Table":
        import pyarrow as pa

        return pa.concat_tables(self._each(live, deed))

    def _totals(self, live: TargetTable, deed: Deed[list[Digest]]) -> list[Digest]:
        return [total(one) for one in zip(*self._each(live, deed), strict=True)]

    def _remember(self, live: TargetTable, attempt: Attempt) -> None:
        """Leave the marker, once for each attempt and cluster."""
        if live.shards is None:
            return
        cluster = live.shards.cluster
        marked = self._marked.setdefault(attempt.token, set())
        if cluster not in marked:
            marker = Staging(attempt, "all", "shards", _token(cluster))
            self._front.area.create_plain(marker, f"{quote(cluster)} UInt8")
            marked.add(cluster)

    def _marks(self, tags: Sequence[str]) -> dict[str, set[str]]:
        """The clusters on which the attempts of these tags were at work."""
        known = {tag: set(self._marked.get(_token(tag), set())) for tag in tags}
        if not tags:
            return known
        by_mark = {f"{_token(tag)}_all_shards_": tag for tag in tags}
        asked = fill(_MARKS, marks=", ".join(map(literal, by_mark)))
        params = {"database": self._front.area.database}
        for mark, cluster in self._front.area.server.rows(asked, tags[0], params):
            known[by_mark[str(mark)]].add(str(cluster))
        return known

    def _traces(self, clusters: Iterable[str]) -> Iterator[ClickHouseTarget]:
        """All servers that may know of an attempt at work on these; the front comes last."""
        seen = [self._front]
        for cluster in sorted(clusters):
            for number, target in self._resolver.servers(cluster).items():
                if target not in seen:
                    seen.append(target)
                    with naming(cluster, number):
                        yield target
        yield self._front


_NOWHERE = TargetTable("", "", "", "", "", ())


def _on_one(deed: Deed[T], target: ClickHouseTarget, shard: Shard, cluster: str) -> T:
    with naming(cluster, shard.number):
        return deed(target, shard.table)


def _token(tag: str) -> str:
    """As Attempt.token."""
    return hashlib.sha256(tag.encode()).hexdigest()[:16]


def insert_into(
    target: ClickHouseTarget,
    shard: Shard,
    cluster: str,
    staging: Staging,
    batches: "Iterable[pa.RecordBatch]",
    pulse: Pulse,
) -> None:
    """One shard's stream; what fails names the shard."""
    with naming(cluster, shard.number):
        target.insert(staging, batches, pulse)


def to_all(
    batches: "Iterable[pa.RecordBatch]", shards: int
) -> "Iterator[tuple[int, pa.RecordBatch]]":
    """Each batch to every shard."""
    for batch in batches:
        for place in range(shards):
            yield place, batch


def total(digests: Iterable[Digest]) -> Digest:
    """The digest of all rows together."""
    return sum(digests, Digest(0))


def summed(facts: Sequence[Mapping[str, int | str]]) -> dict[str, int | str]:
    """Facts of all shards as one: numbers added up, words of the first."""
    result: dict[str, int | str] = {}
    for one in facts:
        for name, value in one.items():
            before = result.get(name, 0)
            number = isinstance(value, int) and isinstance(before, int)
            result[name] = before + value if number else value  # type: ignore[operator]
    return result
