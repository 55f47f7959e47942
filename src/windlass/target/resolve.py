"""From a Distributed table to the local tables behind it, and to the servers that hold them."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from windlass.domain.dataset import digest_of
from windlass.domain.errors import ConfigError, PlanError, WindlassError
from windlass.domain.schema import Removal, Shard, Shards, TargetTable
from windlass.target import shards
from windlass.target.clickhouse import ClickHouseTarget
from windlass.target.client import Address

Connect = Callable[[str], ClickHouseTarget]
"""Makes the adapter for a server at that URL."""


class Resolver:
    """Knows the servers of all shards met so far. `url` is the front's, whose system tables say
    what stands behind a Distributed table; `given` are URLs by shard number or host."""

    def __init__(
        self, front: ClickHouseTarget, url: str, given: Mapping[str, str], connect: Connect
    ) -> None:
        self._front, self._connect = front, connect
        self._book = shards.Book(url, given)
        self._lock = threading.Lock()
        self._by_url = {url: front}
        self._clusters: dict[str, dict[int, ClickHouseTarget]] = {}

    def close(self) -> None:
        """Close every server's connections."""
        for target in self._by_url.values():
            target.close()

    def resolve(
        self, database: str, table: str, dependents: tuple[str, ...] = ()
    ) -> TargetTable | None:
        """The local tables behind a Distributed one (which these views read), as one table; None:
        it is none. PlanError:
        the cluster is unknown, or two shards are reached at one address."""
        server = self._front.area.server
        front = shards.read_front(server, database, table)
        if front is None:
            return None
        members = shards.members(server, front.cluster)
        targets = self._servers(front.cluster, members)
        found = [
            Shard(one.number, one.weight, one.host, self._local(front, one, targets[one.number]))
            for one in members
        ]
        zone = str(server.value("SELECT timezone()"))
        behind = Shards(front.cluster, front.key, front.steady, zone, tuple(found), dependents)
        return whole(database, table, behind, front, members)

    def servers(self, cluster: str) -> dict[int, ClickHouseTarget]:
        """The cluster's shards by number."""
        if cluster not in self._clusters:
            self._servers(cluster, shards.members(self._front.area.server, cluster))
        return self._clusters[cluster]

    def clusters(self) -> set[str]:
        """All clusters that Distributed tables of the front stand in front of."""
        return shards.clusters(self._front.area.server)

    def _servers(
        self, cluster: str, members: Sequence[shards.Member]
    ) -> dict[int, ClickHouseTarget]:
        with self._lock:
            urls = {one.number: self._book.url_of(one) for one in members}
            places = {number: _place(url) for number, url in urls.items()}
            _refuse_shared(cluster, places)
            for url in urls.values():
                if url not in self._by_url:
                    self._by_url[url] = self._connect(url)
            self._clusters[cluster] = {n: self._by_url[url] for n, url in urls.items()}
            return self._clusters[cluster]

    def _local(
        self, front: shards.Front, member: shards.Member, target: ClickHouseTarget
    ) -> TargetTable:
        database = front.database or member.database or "default"
        with naming(front.cluster, member.number):
            found = target.describe(database, front.table)
            if found is None:
                raise PlanError(
                    "the local table behind a Distributed one does not exist",
                    where=f"{target.area.server.address}, {database}.{front.table}",
                    next_step="create it there, then plan again",
                )
        return found


def whole(
    database: str,
    table: str,
    behind: Shards,
    front: shards.Front,
    members: Sequence[shards.Member],
) -> TargetTable:
    """The local tables as one, under the Distributed table's name."""
    locals_ = [one.table for one in behind.members]
    first = locals_[0]
    hashes = [
        (one.number, one.weight, one.host, one.table.database, one.table.create_hash)
        for one in behind.members
    ]
    removals = list(Removal)
    return replace(
        first,
        database=database,
        name=table,
        create_hash=digest_of([front.full, hashes]),
        dependents=tuple(dict.fromkeys(d for one in locals_ for d in one.dependents)),
        projections=tuple(dict.fromkeys(p for one in locals_ for p in one.projections)),
        removal=max((one.removal for one in locals_), key=removals.index),
        refusal=first.refusal or _differing(behind) or _uncopied(behind, members),
        shards=behind,
    )


@contextmanager
def naming(cluster: str, number: int) -> Iterator[None]:
    """What fails inside says on which shard."""
    try:
        yield
    except WindlassError as error:
        label = f"shard {number} of {cluster}"
        if label not in error.where:
            error.where = f"{label}, {error.where}" if error.where else label
        raise


def _differing(behind: Shards) -> str:
    """Why the shards' tables cannot be taken for one; '' when they can."""
    first, *others = behind.members
    for one in others:
        for what, of in _SAME.items():
            if of(one.table) != of(first.table):
                return f"shards {first.number} and {one.number} differ in {what}"
    return ""


_SAME: dict[str, Callable[[TargetTable], object]] = {
    "engine": lambda t: (t.engine, t.version, t.is_deleted),
    "columns": lambda t: sorted((c.name, c.type, c.default_kind) for c in t.columns),
    "partition key": lambda t: t.partition_key,
    "sorting key": lambda t: t.sorting_key,
}


def _uncopied(behind: Shards, members: Sequence[shards.Member]) -> str:
    """Replicas that only a Distributed insert would keep alike would miss what is written to
    one of them."""
    for one, member in zip(behind.members, members, strict=True):
        copies = one.table.engine.startswith(("Replicated", "Shared"))
        if member.replicas > 1 and not copies:
            return (
                f"shard {one.number} has {member.replicas} replicas, and its {one.table.engine} "
                "does not copy itself to them"
            )
    return ""


def _place(url: str) -> tuple[str, int]:
    address = Address.parse(url)
    return address.host, address.port


def _refuse_shared(cluster: str, places: Mapping[int, tuple[str, int]]) -> None:
    seen: dict[tuple[str, int], int] = {}
    for number, place in places.items():
        if place in seen:
            raise ConfigError(
                f"shards {seen[place]} and {number} are reached at one address",
                where=f"cluster {cluster}, {place[0]}:{place[1]}",
                why="the staging of one would be the other's",
                next_step="say under target.shards where each of them is: "
                f'shards: {{"{number}": "https://user:password@host:8443"}}',
            )
        seen[place] = number
