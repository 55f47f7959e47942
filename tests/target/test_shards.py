"""What only a table over several shards can get wrong. Both engines are real, and so are the
Distributed table and its cluster; only reading through it is not possible here."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from tests.target.bench import STAGING, at, ignore, span
from tests.target.shards import HOSTS, ShardedBench, ShardServer, sharded_target
from windlass.domain.attempt import Staging
from windlass.domain.errors import CancelledError, ConfigError, PlanError, UnreachableError
from windlass.domain.plan import GroupTable
from windlass.domain.schema import Shard, Shards, TargetColumn, TargetTable
from windlass.domain.states import Path
from windlass.target.clickhouse import ClickHouseTarget
from windlass.target.names import quote, staging_name
from windlass.target.sharded import ShardedTarget
from windlass.target.sharding import Router
from windlass.target.shards import Book, Member, parse_front

WINDOW = span("2026-02-05", "2026-02-10")
FEB = span("2026-02-01", "2026-03-01")
ROWS = [(k, f"x{k}", "2026-02-06", "2026-02-06") for k in range(-5, 20)]
NOW = {"distributed_foreground_insert": "0", "distributed_background_insert_batch": "0"}


def on(bench: ShardedBench, place: int) -> list[int]:
    """The keys that live on one shard."""
    return [row[0] for row in bench.servers[place].rows(f"SELECT k FROM {bench.ref} ORDER BY k")]


@pytest.mark.parametrize(
    "key",
    [
        "k",
        "cityHash64(k, x)",
        "toInt32(k)",
        "intDiv(k, 3)",
        "toYYYYMM(toDateTime(v))",
        "sipHash64(t)",
    ],
)
def test_rows_go_where_the_server_itself_sends_them(shards: ShardedBench, key: str) -> None:
    """Row by row: the Distributed table queues each for a shard, and our staging has it there."""
    bench = replace(shards, sharding=key)
    bench.create("MergeTree")
    queued = (
        "SELECT sum(data_files) FROM system.distribution_queue "
        f"WHERE database = '{bench.database}' AND position(data_path, 'shard1_') > 0"
    )
    seen, theirs = 0, []
    for k, x, t, v in ROWS:
        values = f"({k}, '{x}', '{t}', '{v}')"
        front = f"{quote(bench.database)}.{bench.table}"
        bench.server.run(f"INSERT INTO {front} VALUES {values}", "windlass/test", NOW)
        now = int(bench.server.value(queued) or 0)
        theirs.append(0 if now > seen else 1)
        seen = now
    live = bench.live
    assert live.shards is not None
    assert Router(live, live.shards).places(bench.batch(ROWS)).to_pylist() == theirs


def test_a_table_is_described_by_what_stands_behind_it(shards: ShardedBench) -> None:
    live = shards.create(partition="toDate(t)")
    assert (live.engine, live.name, live.version) == ("ReplacingMergeTree", "items", "v")
    assert live.shards is not None
    assert live.shards.cluster == "pair", "the macro {cluster} was replaced"
    assert [(one.number, one.weight, one.host) for one in live.shards.members] == [
        (1, 1, HOSTS[0]),
        (2, 2, HOSTS[1]),
    ]
    assert live.shards.members[0].table.name == "items_local"


def test_shards_that_differ_are_refused(shards: ShardedBench) -> None:
    before = shards.create("MergeTree", settings="")
    shards.servers[1].run(f"ALTER TABLE {shards.ref} ADD COLUMN more UInt8", "windlass/test")
    shards.described.clear()
    assert "shards 1 and 2 differ in columns" in shards.live.refusal
    assert shards.live.create_hash != before.create_hash


def test_replicas_that_nothing_keeps_alike_are_refused(shards: ShardedBench) -> None:
    shards.create("MergeTree", settings="")
    front = f"{quote(shards.database)}.items"
    shards.server.run(f"DROP TABLE {front} SYNC", "windlass/test")
    engine = f"Distributed('copied', '{shards.database}', 'items_local', k)"
    shards.server.run(f"CREATE TABLE {front} AS {shards.ref} ENGINE = {engine}", "windlass/test")
    shards.described.clear()
    assert "2 replicas" in shards.live.refusal


def test_two_shards_at_one_address_are_refused(
    shards: ShardedBench, shard_pair: tuple[ShardServer, ShardServer]
) -> None:
    shards.create("MergeTree")
    url = shard_pair[0].url
    target = ShardedTarget(url, {"1": url, "2": url}, lambda one: ClickHouseTarget(one, STAGING))
    with pytest.raises(ConfigError, match="one address"):
        target.describe(shards.database, "items")


def test_a_shard_that_is_down_is_named(
    shards: ShardedBench, shard_pair: tuple[ShardServer, ShardServer]
) -> None:
    shards.create("MergeTree")
    given = {"1": shard_pair[0].url, "2": "http://user:s3cret@127.0.0.1:1"}
    target = ShardedTarget(shard_pair[0].url, given, lambda one: ClickHouseTarget(one, STAGING))
    with pytest.raises(UnreachableError, match=r"shard 2 of pair, clickhouse 127\.0\.0\.1:1") as no:
        target.describe(shards.database, "items")
    assert "s3cret" not in str(no.value)
    assert any(level == "fail" and "shard 2" in what for level, what, _ in target.check())
    target.close()


def test_staging_lies_where_the_rows_belong(shards: ShardedBench) -> None:
    shards.create("MergeTree")
    staged = shards.stage(*ROWS)
    table = f"{STAGING}.{quote(staging_name(staged))}"
    counts = [int(s.value(f"SELECT count() FROM {table}")) for s in shards.servers]
    assert sum(counts) == len(ROWS)
    assert min(counts) > 0
    assert shards.target.staged_rows(staged) == len(ROWS)
    digester = shards.target.digester(shards.pairs)
    digester.update(shards.batch(ROWS))
    assert shards.target.staged(staged, shards.pairs) == digester.result()


@pytest.mark.parametrize("path", [Path.SWAP, Path.IN_PLACE])
def test_a_row_on_the_wrong_shard_moves_and_counts_as_kept(
    shards: ShardedBench, path: Path
) -> None:
    shards.create()
    for place in (0, 1):  # every key on both shards: one of them is wrong
        shards.put_on(place, shards.batch(ROWS))
    shards.put((99, "gone", "2026-02-06", "2026-02-06"))
    staged, interval = shards.stage(*ROWS), FEB if path is Path.SWAP else WINDOW
    removed = shards.target.removed(
        shards.live, shards.piece(interval), shards.pairs, [staged], None, shards.attempt("guard")
    )
    assert (removed.before, removed.gone) == (2 * len(ROWS) + 1, 1)
    assert (removed.unexplained, removed.duplicates) == (1, len(ROWS))
    keys = shards.target.gone_keys(
        shards.live, shards.piece(interval), shards.pairs, [staged], None, 10, shards.attempt("g")
    )
    assert keys.to_pylist() == [{"k": "99"}]
    facts = shards.publish(path, interval, staged)
    assert facts["shards"] == 2
    assert sorted([*on(shards, 0), *on(shards, 1)]) == [row[0] for row in ROWS]
    assert shards.differing(interval, staged) == []


@pytest.mark.parametrize("key", ["rand()", ""])
def test_without_a_steady_key_any_shard_is_right(shards: ShardedBench, key: str) -> None:
    bench = replace(shards, sharding=key)
    live = bench.create()
    assert live.shards is not None
    assert not live.shards.steady
    bench.put(*ROWS, (99, "gone", "2026-02-06", "2026-02-06"))
    staged = Staging(bench.attempt("window"), bench.table, database=bench.database)
    bench.target.stage(live, staged)
    bench.target.insert(staged, [bench.batch([row]) for row in ROWS], ignore)
    removed = bench.target.removed(
        live, bench.piece(WINDOW), bench.pairs, [staged], None, bench.attempt("guard")
    )
    assert (removed.before, removed.gone) == (len(ROWS) + 1, 1)
    bench.publish(Path.IN_PLACE, WINDOW, staged)
    assert bench.seen() == [row[:2] for row in ROWS]
    upsert = pa.Table.from_batches([bench.batch([(3, "new", "2026-02-06", "2026-02-08")])])
    mend(bench, upsert, None)
    assert (3, "new") in bench.seen()
    assert len(bench.seen()) == len(ROWS)


def mend(bench: ShardedBench, upsert: "pa.Table | None", remove: "pa.Table | None") -> None:
    """One catch-up."""
    bench.target.apply(
        bench.live,
        bench.piece(WINDOW),
        bench.pairs,
        bench.plan(Path.IN_PLACE),
        upsert,
        remove,
        bench.attempt("settle"),
    )


def test_catch_up_with_a_key_that_changed_its_shard(shards: ShardedBench) -> None:
    bench = replace(shards, sharding="cityHash64(x)")
    live = bench.create()
    assert live.shards is not None
    bench.put(*ROWS)
    router = Router(live, live.shards)
    (home,) = router.places(bench.batch([(7, "x7", "2026-02-06", "2026-02-06")])).to_pylist()
    names = [f"y{n}" for n in range(20)]
    moved = next(
        name
        for name in names
        if router.places(bench.batch([(7, name, "2026-02-06", "2026-02-07")])).to_pylist() != [home]
    )
    upsert = pa.Table.from_batches([bench.batch([(7, moved, "2026-02-06", "2026-02-07")])])
    for _ in range(2):
        mend(bench, upsert, pa.table({"k": ["8"]}))
        assert 7 not in on(bench, home)
        assert 7 in on(bench, 1 - home)
        assert len(bench.seen()) == len(ROWS) - 1


def test_another_process_finds_and_clears_what_an_attempt_left(
    shards: ShardedBench, shard_pair: tuple[ShardServer, ShardServer]
) -> None:
    shards.create("MergeTree")
    staged = shards.stage(*ROWS)
    other = sharded_target(shard_pair)
    assert other.kill(staged.attempt.tag) == 0
    assert other.sweep(staged.attempt) == 2
    table = f"SELECT count() FROM system.tables WHERE startsWith(name, '{staged.attempt.token}')"
    assert [int(s.value(table)) for s in shards.servers] == [0, 0]
    assert other.sweep(staged.attempt) == 0
    other.close()


def test_a_stream_that_breaks_leaves_no_half_staging(shards: ShardedBench) -> None:
    """The source fails in the middle; or the campaign is cancelled: no INSERT is left running."""
    shards.create("MergeTree")

    def broken() -> Iterator[pa.RecordBatch]:
        yield shards.batch(ROWS)
        raise UnreachableError("the source is gone")

    staging = Staging(shards.attempt("window"), "items", database=shards.database)
    shards.target.stage(shards.live, staging)
    with pytest.raises(UnreachableError, match="source is gone"):
        shards.target.insert(staging, broken(), ignore)
    assert shards.target.staged_rows(staging) == 0
    assert shards.target.running(staging.attempt.tag) == 0

    def cancel(_rows: int) -> None:
        raise CancelledError("stop")

    with pytest.raises(CancelledError, match="stop"):
        shards.target.insert(staging, [shards.batch(ROWS)] * 50, cancel)
    assert shards.target.running(staging.attempt.tag) == 0


def test_a_shard_whose_staging_is_gone_is_named_and_stops_all(shards: ShardedBench) -> None:
    shards.create("MergeTree")
    staging = Staging(shards.attempt("window"), "items", database=shards.database)
    shards.target.stage(shards.live, staging)
    table = f"{STAGING}.{quote(staging_name(staging))}"
    shards.servers[1].run(f"DROP TABLE {table} SYNC", "windlass/test")
    with pytest.raises(Exception, match="shard 2 of pair"):
        shards.target.insert(staging, [shards.batch(ROWS)] * 5, ignore)


def test_undo_puts_every_shard_back(shards: ShardedBench) -> None:
    shards.create()
    shards.put(*ROWS)
    seen, attempt = shards.seen(), shards.attempt("keep")
    whole = tuple(shards.target.whole_ranges(shards.live, "t", FEB) or ())
    group = GroupTable("items", Path.SWAP, whole)
    live, piece, target = shards.live, shards.piece(FEB), shards.target
    kept = target.keep(live, piece, group, attempt, ignore)
    assert {name.partition("/")[0] for name in kept.before} == {"1", "2"}
    staged = shards.stage(
        (1, "new", "2026-02-06", "2026-02-07"), (2, "n", "2026-02-09", "2026-02-10")
    )
    digests, expected = target.proofs(live, [staged], shards.pairs, attempt, ignore, prints=True)
    assert digests == [target.staged(staged, shards.pairs)]
    shards.publish(Path.SWAP, FEB, staged)
    assert target.prints(live, piece, group, attempt, ignore) == expected != kept.before
    target.restore(live, piece, group, kept, shards.attempt("undo"), ignore)
    assert target.prints(live, piece, group, attempt, ignore) == kept.before
    assert shards.seen() == seen


@pytest.mark.parametrize(
    ("full", "expected"),
    [
        ("Distributed('c', 'd', 't')", ("c", "d", "t", "", False)),
        ("Distributed('{x}_c', '', 't', rand(), 'policy')", ("one_c", "", "t", "rand()", False)),
        (
            "Distributed('c', 'd, e', 't(1)', cityHash64(a, 'x,y')) SETTINGS fsync_directories = 1",
            ("c", "d, e", "t(1)", "cityHash64(a, 'x,y')", True),
        ),
    ],
)
def test_reading_the_engine(full: str, expected: tuple[Any, ...]) -> None:
    front = parse_front(full, {"x": "one"})
    assert (front.cluster, front.database, front.table, front.key, front.steady) == expected


def test_where_shards_are_reached() -> None:
    def member(number: int, host: str, *, local: bool = False) -> Member:
        return Member(number, 1, host, 1, local, database="")

    book = Book(
        "https://me:p%40s@front:8443?verify=false", {"2": "http://two", "h3": "http://three"}
    )
    assert book.url_of(member(1, "h1")) == "https://me:p%40s@h1:8443?verify=false"
    assert book.url_of(member(2, "h2")) == "http://two"
    assert book.url_of(member(3, "h3")) == "http://three"
    assert book.url_of(member(4, "::2")) == "https://me:p%40s@[::2]:8443?verify=false"
    assert book.url_of(member(5, "localhost", local=True)) == book.url


def column(name: str, kind: str, computed: str = "") -> TargetColumn:
    return TargetColumn(name, kind, "MATERIALIZED" if computed else "", computed)


def router(key: str, *columns: TargetColumn) -> Router:
    """Two shards of one weight, a table of these columns."""
    live = TargetTable("d", "t", "MergeTree", "", "k", columns)
    members = tuple(Shard(number, 1, "h", live) for number in (1, 2))
    return Router(live, Shards("c", key, steady=True, zone="America/New_York", members=members))


def test_a_computed_column_and_the_servers_zone_decide_too() -> None:
    found = router("d % 2", column("t", "DateTime"), column("d", "UInt32", "toDayOfMonth(t)"))
    times = pa.array([at("2026-02-06T03:00"), at("2026-02-06T06:00")], pa.timestamp("us", "UTC"))
    batch = pa.RecordBatch.from_arrays([times], names=["t"])
    assert found.places(batch).to_pylist() == [1, 0], "in New York the first is the 5th"


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("k", "it gives String"),
        ("dictGet('a', 'b', k)", "not found"),
        ("missing", "missing"),
        ("cityHash64(other)", "no column other"),
    ],
)
def test_a_key_that_cannot_be_evaluated_here_is_refused(key: str, why: str) -> None:
    found = router(key, column("k", "String"), column("other", "String"))
    with pytest.raises(PlanError, match=why):
        found.check(["k"])
