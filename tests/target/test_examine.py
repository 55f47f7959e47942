"""What the plan is told of a table before anything runs: TTLs, hidden rows, views."""

from collections.abc import Iterator

import pytest

from tests.target.bench import STAGING, Bench, span
from tests.target.shards import ShardedBench, ShardServer
from windlass.domain.errors import PlanError
from windlass.domain.states import Path
from windlass.planner.views import view_effects, view_notes
from windlass.target.clickhouse import ClickHouseTarget
from windlass.target.ddl import Expiry, expiries
from windlass.target.names import quote

LONG_AGO = span("2020-01-01", "2020-03-01")
RECENT = span("2026-02-05", "2026-02-10")


@pytest.mark.parametrize(
    ("ttl", "said"),
    [
        ("t + INTERVAL 1 YEAR", "has passed for times up to 2020-02-29"),
        ("toDateTime(t) + INTERVAL 1 MONTH DELETE WHERE k > 5", "WHERE k > 5 has passed"),
        ("toDate(v) + INTERVAL 1 YEAR", "depends on more than t"),
        ("t + INTERVAL 90 YEAR", ""),
        ("t + INTERVAL 1 YEAR RECOMPRESS CODEC(ZSTD(3))", ""),
    ],
)
def test_rows_that_a_ttl_takes_again_are_told(bench: Bench, ttl: str, said: str) -> None:
    bench.create("MergeTree", settings=f"TTL {ttl}")
    found = bench.target.examine([(bench.live, "t")], LONG_AGO)[0]
    assert [said in line for line in found] == ([True] if said else [])
    if "more than" not in said:
        assert bench.target.examine([(bench.live, "t")], span("2026-11-01", "2026-11-10"))[0] == []


def test_the_values_of_a_column_can_expire_too(bench: Bench) -> None:
    bench.create("MergeTree", settings="", extra=", w String DEFAULT 'a' TTL t + INTERVAL 1 DAY")
    ((line,),) = bench.target.examine([(bench.live, "t")], LONG_AGO)
    assert "the values of w" in line


def test_why_expired_rows_are_told_beforehand(bench: Bench) -> None:
    """They are published as the source has them, and the next merge takes them away."""
    bench.create("MergeTree", settings="TTL t + INTERVAL 1 YEAR")
    staged = bench.stage((1, "old", "2020-02-06", "2020-02-06"))
    bench.publish(Path.SWAP, LONG_AGO, staged)
    bench.run(f"OPTIMIZE TABLE {bench.ref} FINAL")
    assert bench.seen() == []
    assert bench.differing(LONG_AGO, staged) == [{"k": "1", "side": "staged"}]


def test_reading_ttls() -> None:
    full = (
        "MergeTree PARTITION BY d ORDER BY k TTL d + toIntervalDay(1), d + toIntervalDay(2) TO "
        "VOLUME 'cold', d + toIntervalDay(3) GROUP BY k SET v = max(v), e + f(1, 'TO') WHERE x = 1"
    )
    create = (
        "CREATE TABLE d.t (`k` UInt8, `TTL` String, `c d` String DEFAULT f(1, 2) TTL d + "
        "toIntervalDay(4), `z` Array(String) CODEC(ZSTD(1)), INDEX i c TYPE set(1)) ENGINE = x"
    )
    assert expiries(full, create) == [
        Expiry("d + toIntervalDay(1)"),
        Expiry("d + toIntervalDay(3)", " GROUP BY k SET v = max(v)"),
        Expiry("e + f(1, 'TO')", " WHERE x = 1"),
        Expiry("d + toIntervalDay(4)", column="c d"),
    ]


@pytest.fixture
def filtered(shards: ShardedBench, shard_pair: tuple[ShardServer, ShardServer]) -> Iterator[Bench]:
    """A table of which a row policy of the server's configuration hides k = 2."""
    target = ClickHouseTarget(shard_pair[0].url, STAGING)
    bench = Bench(target, shards.server, "filtered")
    bench.run("CREATE DATABASE IF NOT EXISTS filtered")
    yield bench
    bench.run("DROP DATABASE filtered SYNC")
    target.close()


def test_rows_that_a_policy_hides_refuse_the_plan(filtered: Bench) -> None:
    filtered.create()
    assert filtered.target.examine([(filtered.live, "t")], RECENT)[0] == [
        "row policy default (k != 2) applies to this user; it hides no row now, but may later"
    ]
    filtered.put(*[(k, "x", "2026-02-06", "2026-02-06") for k in range(5)])
    with pytest.raises(PlanError, match="hides 1 rows") as refused:
        filtered.target.examine([(filtered.live, "t")], RECENT)[0]
    assert "CREATE ROW POLICY" in refused.value.next_step


def test_deleted_rows_are_not_taken_for_hidden_ones(bench: Bench) -> None:
    live = bench.create("MergeTree")
    bench.put(*[(k, "x", "2026-02-06", "2026-02-06") for k in range(50)])
    for mode in ("alter_update", "lightweight_update_force"):
        bench.run(
            f"DELETE FROM {bench.ref} WHERE k % 10 = {len(mode) % 10} "
            f"SETTINGS lightweight_delete_mode = '{mode}'"
        )
    assert bench.target.examine([(live, "t")], RECENT)[0] == []


@pytest.mark.parametrize(
    ("path", "doubled", "said"),
    [
        (Path.SWAP, False, "swap fires nothing"),
        (Path.IN_PLACE, True, "in place fires it for each row"),
        (Path.APPEND, False, "append moves partitions: it fires nothing"),
    ],
)
def test_views_are_named_with_what_happens_to_them(
    bench: Bench, path: Path, doubled: bool, said: str
) -> None:
    """An additive view counts inserted rows again; swapped or moved ones never reach it."""
    bench.create()
    view = f"{quote(bench.database)}.totals"
    bench.run(
        f"CREATE MATERIALIZED VIEW {view} ENGINE = SummingMergeTree ORDER BY x "
        f"AS SELECT x, count() AS n FROM {bench.ref} GROUP BY x"
    )
    bench.put((1, "x", "2026-02-06", "2026-02-06"))
    staged = bench.stage((1, "x", "2026-02-06", "2026-02-07"))
    interval = RECENT if path is Path.IN_PLACE else span("2026-02-01", "2026-03-01")
    bench.publish(path, interval, staged)
    assert bench.rows(f"SELECT sum(n) FROM {view}") == [(2 if doubled else 1,)]
    swap = path is Path.SWAP
    edge = Path.IN_PLACE if swap else path
    effects = view_effects(bench.live, edge, swaps=swap, edges=not swap)
    assert list(effects) == [f"{bench.database}.totals"]
    (note,) = view_notes(bench.live, effects)
    assert f"totals reads items: {said}" in note
