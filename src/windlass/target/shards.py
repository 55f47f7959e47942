"""What stands behind a Distributed table: its cluster's shards, as the server lists them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from windlass.domain.errors import PlanError
from windlass.target import ddl
from windlass.target.client import LOOKING, Server

UNSTEADY = frozenset(
    {
        "rand",
        "rand32",
        "rand64",
        "randConstant",
        "randCanonical",
        "generateUUIDv4",
        "generateUUIDv7",
        "generateSnowflakeID",
        "now",
        "now64",
        "rowNumberInAllBlocks",
        "rowNumberInBlock",
        "blockNumber",
    }
)
"""Functions that give another shard each time."""
_LOCAL = {"localhost", "127.0.0.1", "::1"}

_DISTRIBUTED = """
SELECT engine_full FROM system.tables
WHERE database = {database:String} AND name = {table:String} AND engine = 'Distributed'
"""
_ALL = "SELECT DISTINCT engine_full FROM system.tables WHERE engine = 'Distributed'"
_MEMBERS = """
SELECT shard_num, shard_weight, host_name, is_local, default_database
FROM system.clusters WHERE cluster = {cluster:String} ORDER BY shard_num, replica_num
"""
_MACROS = "SELECT macro, substitution FROM system.macros"


@dataclass(frozen=True)
class Front:
    """A Distributed table's own definition: where its rows lie, and what sends them there;
    `full` is the engine's text."""

    cluster: str
    database: str
    table: str
    key: str
    full: str

    @property
    def steady(self) -> bool:
        """Whether the same row always belongs on the same shard."""
        words = {word.text for word in ddl.tokens(self.key)}
        return bool(self.key) and not words & UNSTEADY


@dataclass(frozen=True)
class Member:
    """One shard of a cluster. `host` is its first replica, `replicas` how many it has, `local`
    whether the server that was asked is that host, `database` its default one."""

    number: int
    weight: int
    host: str
    replicas: int
    local: bool
    database: str


def read_front(server: Server, database: str, table: str, tag: str = LOOKING) -> Front | None:
    """The Distributed table of that name and its engine's text; None where there is none."""
    found = server.rows(_DISTRIBUTED, tag, {"database": database, "table": table})
    if not found:
        return None
    full = str(found[0][0])
    return parse_front(full, _macros(server, full, tag))


def parse_front(full: str, macros: Mapping[str, str] | None = None) -> Front:
    """Read `Distributed('cluster', 'database', 'table', key, 'policy')`."""
    cluster, database, table, *rest = ddl.arguments(full)
    for name, value in (macros or {}).items():
        cluster = cluster.replace("{" + name + "}", value)
    names = (cluster, database, table)
    shown = [_text(one) for one in names]
    return Front(shown[0], shown[1], shown[2], key=rest[0] if rest else "", full=full)


def clusters(server: Server, tag: str = LOOKING) -> set[str]:
    """The names of all clusters that some Distributed table of the server stands in front of."""
    fulls = [str(row[0]) for row in server.rows(_ALL, tag)]
    macros = _macros(server, "".join(fulls), tag)
    return {parse_front(full, macros).cluster for full in fulls}


def members(server: Server, cluster: str, tag: str = LOOKING) -> list[Member]:
    """The shards of a cluster, in order. PlanError: the server knows no such cluster."""
    found: dict[int, list[tuple[object, ...]]] = {}
    for number, *rest in server.rows(_MEMBERS, tag, {"cluster": cluster}):
        found.setdefault(int(number), []).append(tuple(rest))
    if not found:
        raise PlanError(
            f"the cluster {cluster!r} of the Distributed table is unknown",
            where=str(server.address),
            why="system.clusters does not list it",
            next_step="correct <remote_servers>, or let target.url name a server that knows it",
        )
    return [_member(number, replicas) for number, replicas in sorted(found.items())]


def _member(number: int, replicas: Sequence[tuple[object, ...]]) -> Member:
    weight, host, local, database = replicas[0]
    return Member(
        number=number,
        weight=int(str(weight)),
        host=str(host),
        replicas=len(replicas),
        local=bool(local),
        database=str(database),
    )


def _macros(server: Server, text: str, tag: str) -> dict[str, str]:
    """The server's macros, where the text names any."""
    if "{" not in text:
        return {}
    return {str(name): str(value) for name, value in server.rows(_MACROS, tag)}


def _text(argument: str) -> str:
    """What a string literal or a bare name says."""
    (word,) = ddl.tokens(argument)
    return word.text


@dataclass(frozen=True)
class Book:
    """How shards are reached: `given` by number or host, others at their host with the user,
    password, port and options of `url`."""

    url: str
    given: Mapping[str, str]

    def url_of(self, member: Member) -> str:
        """The HTTP address of the shard."""
        for name in (str(member.number), member.host):
            if name in self.given:
                return self.given[name]
        if member.local and member.host in _LOCAL:
            return self.url
        parts = urlsplit(self.url)
        user, at, place = parts.netloc.rpartition("@")
        _, colon, port = place.rpartition(":") if not place.endswith("]") else ("", "", "")
        host = f"[{member.host}]" if ":" in member.host else member.host
        return urlunsplit(parts._replace(netloc=f"{user}{at}{host}{colon}{port if colon else ''}"))
