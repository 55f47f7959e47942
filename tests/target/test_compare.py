"""What would go, why, and what differs afterwards."""

from dataclasses import replace

from tests.target.bench import Bench, at, ignore, span
from tests.target.conftest import BOTH_WAYS
from windlass.domain.attempt import Staging
from windlass.domain.results import Removed
from windlass.domain.states import Path
from windlass.ports import Ask

WINDOW = span("2026-02-05", "2026-02-10")


@BOTH_WAYS
def test_removed_counts_keys_duplicates_and_exclusions(bench: Bench) -> None:
    bench.create("MergeTree", settings="")
    bench.put((1, "stays", "2026-02-05", "2026-02-05"), (1, "double", "2026-02-05", "2026-02-05"))
    bench.put((2, "excluded", "2026-02-06", "2026-02-06"), (3, "gone", "2026-02-06", "2026-02-06"))
    bench.put((4, "outside", "2026-02-10", "2026-02-10"))
    staged, attempt = bench.stage((1, "stays", "2026-02-05", "2026-02-05")), bench.attempt()
    excluded = keys_out(bench, ("2", "appeals"), ("9", "appeals"), ("8", "tests"))
    asked = (bench.live, bench.piece(WINDOW), bench.pairs, [staged])
    removed = bench.target.removed(*asked, excluded, attempt)
    assert removed == Removed(4, 4, 2, {"appeals": 1}, duplicates=1, unexplained=1)
    bare = bench.target.removed(*asked, None, attempt)
    assert (bare.gone, bare.attributed, bare.unexplained) == (2, {}, 2)
    keys = bench.target.gone_keys(*asked, excluded, 10, attempt)
    assert keys.to_pylist() == [{"k": "3"}]
    assert bench.target.gone_keys(*asked, None, 1, attempt).num_rows == 1


def keys_out(bench: Bench, *rows: tuple[str, str]) -> Staging:
    """A table of keys that exclusions keep out."""
    import pyarrow as pa

    staging = Staging(bench.attempt("guard"), bench.table, "gone")
    bench.target.stage_excluded(staging, bench.key)
    texts = [list(column) for column in zip(*rows, strict=True)]
    batch = pa.RecordBatch.from_arrays([pa.array(c) for c in texts], names=["k", "excluded"])
    bench.target.insert(staging, [batch], ignore)
    return staging


def test_removed_is_logical_where_the_engine_replaces(bench: Bench) -> None:
    bench.create()
    for day in ("05", "06"):
        bench.put((1, f"v{day}", "2026-02-05", f"2026-02-{day}"))
    staged = bench.stage((1, "v06", "2026-02-05", "2026-02-06"))
    removed = bench.target.removed(
        bench.live, bench.piece(WINDOW), bench.pairs, [staged], None, bench.attempt()
    )
    assert removed == Removed(before=1, raw=2, gone=0)


def test_a_group_may_have_thousands_of_windows(bench: Bench) -> None:
    """Their staging is named in one statement, which may then be longer than servers take."""
    bench.create()
    bench.put((1, "live", "2026-02-05", "2026-02-05"), (2, "gone", "2026-02-05", "2026-02-05"))
    staged = [bench.stage((1, "new", "2026-02-05", "2026-02-06"))] * 3_000
    asked = (bench.live, bench.piece(WINDOW), bench.pairs, staged)
    removed = bench.target.removed(*asked, None, bench.attempt())
    assert removed == Removed(before=2, raw=2, gone=1, unexplained=1)


@BOTH_WAYS
def test_an_empty_slice_and_an_empty_staging(bench: Bench) -> None:
    bench.create()
    for staged in ([], [bench.stage()]):
        removed = bench.target.removed(
            bench.live, bench.piece(WINDOW), bench.pairs, staged, None, bench.attempt()
        )
        assert removed == Removed(0, 0, 0)
        assert bench.differing(WINDOW, *staged) == []


@BOTH_WAYS
def test_differing_names_the_side(bench: Bench) -> None:
    bench.create("MergeTree", settings="")
    bench.put((1, "same", "2026-02-05", "2026-02-05"), (2, "old", "2026-02-05", "2026-02-05"))
    bench.put((3, "live", "2026-02-05", "2026-02-05"), (5, "twice", "2026-02-05", "2026-02-05"))
    bench.put((5, "twice", "2026-02-05", "2026-02-05"))
    staged = bench.stage(
        (1, "same", "2026-02-05", "2026-02-05"),
        (2, "new", "2026-02-05", "2026-02-05"),
        (4, "staged", "2026-02-05", "2026-02-05"),
        (5, "twice", "2026-02-05", "2026-02-05"),
    )
    found = {row["k"]: row["side"] for row in bench.differing(WINDOW, staged)}
    assert found == {"2": "both", "3": "live", "4": "staged", "5": "both"}


def test_keys_are_canonical_text(bench: Bench) -> None:
    bench.key = ("t", "k")
    bench.create("MergeTree", settings="")
    bench.put((1, "x", "2026-02-05T00:00:00.000001", "2026-02-05"))
    (row,) = bench.differing(WINDOW)
    micros = int(at("2026-02-05").timestamp()) * 1_000_000 + 1
    assert row == {"t": str(micros), "k": "1", "side": "live"}
    (hashed,) = bench.target.rows_by_hash(bench.live, bench.piece(WINDOW), bench.pairs).to_pylist()
    assert (hashed["t"], hashed["k"]) == (str(micros), "1")


@BOTH_WAYS
def test_counts_and_digests_by_step(bench: Bench) -> None:
    bench.create()
    days = [span(f"2026-02-0{d}", f"2026-02-0{d + 1}") for d in range(5, 9)]
    bench.put(*[(d, "x", f"2026-02-0{d}T23:59:59.999999", "2026-02-01") for d in (4, 5, 7, 9)])
    assert bench.target.count(bench.live, "t", [*days, WINDOW]) == [1, 0, 1, 0, 3]
    digests = bench.target.digest(bench.live, bench.piece(WINDOW), bench.pairs, days)
    assert [one.rows for one in digests] == [1, 0, 1, 0]
    (whole,) = bench.target.digest(bench.live, bench.piece(WINDOW), bench.pairs)
    hashes = bench.target.rows_by_hash(bench.live, bench.piece(WINDOW), bench.pairs)
    assert whole.rows == 3
    assert whole.sum == str(sum(hashes["hash"].to_pylist()))
    sql = bench.target.count_sql(bench.live, bench.piece(WINDOW))
    assert bench.live.shards or bench.rows(sql) == [(3,)], "here nobody reads through Distributed"


def test_what_was_read_and_what_is_staged_have_one_digest(bench: Bench) -> None:
    bench.create()
    rows = [
        (k, f"text {k}" * (k % 3), "2026-02-06T01:02:03.000004", "2026-02-06") for k in range(500)
    ]
    running = bench.target.digester(bench.pairs)
    running.update(bench.batch(rows[:100]))
    running.update(bench.batch([]))
    running.update(bench.batch(rows[100:]))
    staged = bench.stage(*rows)
    assert bench.target.staged(staged, bench.pairs) == running.result()
    bench.publish(Path.SWAP, span("2026-02-01", "2026-03-01"), staged)
    (live,) = bench.target.digest(bench.live, bench.piece(WINDOW), bench.pairs)
    assert bench.target.staged(staged, bench.pairs, md5=True) == live
    half = span("2026-02-05", "2026-02-06T01:02:03.000004")
    assert bench.target.staged(staged, bench.pairs, half, "t").rows == 0
    assert bench.target.digester(bench.pairs).result().rows == 0


def test_foreign_rows_where_the_table_has_the_tenant(bench: Bench) -> None:
    bench.create()
    ask = Ask(bench.live, bench.piece(WINDOW), ())
    assert bench.target.census([ask], bench.attempt()) == [([0], 0)]
    owned = replace(bench, columns={**bench.columns, "customer_id": "String"})
    owned.create()
    owned.put(
        (1, "x", "2026-02-06", "2026-02-06", "acme"), (2, "x", "2026-02-06", "2026-02-06", "globex")
    )
    owned.put((3, "x", "2026-02-11", "2026-02-06", "globex"))
    ask = Ask(owned.live, owned.piece(WINDOW), ())
    assert owned.target.census([ask], bench.attempt()) == [([2], 1)]


@BOTH_WAYS
def test_a_census_counts_what_each_count_would(bench: Bench) -> None:
    """Several tables in one statement, superseded rows, marks of any edges; also apart."""
    bench.create()
    names = ["items"] if bench.live.shards else ["items", "more items", "none"]
    tables = [replace(bench, table=name) for name in names]
    for number, one in enumerate(tables[:2]):
        one.create()
        one.put(*[(n, "x", f"2026-02-0{5 + n % 5}T0{n}:00", "2026-02-01") for n in range(9)])
        one.put(
            *[(n, "y", f"2026-02-0{5 + n % 5}T0{n}:00", "2026-02-02") for n in range(number, 4)]
        )
    if len(tables) > 1:
        tables[-1].create()
    marks = [span("2026-02-05T03", "2026-02-08T02:30"), span("2026-02-06", "2026-02-07"), WINDOW]
    asks = [Ask(one.live, one.piece(WINDOW), marks[n:]) for n, one in enumerate(tables)]
    alone = [
        (one.target.count(ask.live, "t", ask.ranges), 0)
        for one, ask in zip(tables, asks, strict=True)
    ]
    assert bench.target.census(asks, bench.attempt()) == alone
    assert sum(alone[0][0]) > 0
