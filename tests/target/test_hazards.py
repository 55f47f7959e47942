"""The hazards of docs/publish.md that a target can meet on one server, by their number there."""

import re
from pathlib import Path as Path_

import pytest

import windlass
from tests.target.bench import PATCHES, STAGING, Bench, ignore, span
from windlass.domain.attempt import Staging
from windlass.domain.errors import TransientError
from windlass.domain.plan import GroupTable
from windlass.domain.states import Path
from windlass.target import digest
from windlass.target.client import Server, Settings
from windlass.target.errors import StuckMutationError
from windlass.target.names import quote, staging_name
from windlass.target.publish.job import Job
from windlass.target.publish.run import publish
from windlass.target.slices import View
from windlass.target.staging import StagingArea
from windlass.verify.pairs import SESSION

WINDOW = span("2026-02-05", "2026-02-10")
FEB = span("2026-02-01", "2026-03-01")
DEDUP = "SETTINGS non_replicated_deduplication_window = 1000"
MATTERS = {
    "alter_sync": "2",
    "async_insert": "0",
    "deduplicate_insert": "disable",
    "deduplicate_insert_select": "disable",
    "do_not_merge_across_partitions_select_final": "0",
    "insert_deduplicate": "0",
    "lightweight_deletes_sync": "2",
    "mutations_sync": "2",
    "optimize_on_insert": "0",
}
ROWS = [(1, "a", "2026-02-06", "2026-02-06"), (2, "b", "2026-02-07", "2026-02-07")]


@pytest.mark.parametrize("path", [Path.IN_PLACE, Path.DELETE_AND_INSERT, Path.SWAP])
def test_1_what_was_deleted_can_be_inserted_again(bench: Bench, path: Path) -> None:
    """A deduplication log remembers content that a DELETE took away."""
    bench.create("ReplacingMergeTree(v)", settings=DEDUP)
    interval = FEB if path is Path.SWAP else WINDOW
    for rows in (ROWS, [], ROWS, [], ROWS):
        staged = bench.stage(*rows)
        bench.publish(path, interval, staged)
        assert bench.seen() == [row[:2] for row in rows]


class Profile(Server):
    """A server whose profile has deduplication forced on for whoever does not say otherwise."""

    def _settings(self, tag: str, extra: Settings) -> dict[str, str]:
        forced = {"deduplicate_insert": "enable", "deduplicate_insert_select": "force_enable"}
        known = {name: value for name, value in forced.items() if self.knows(name)}
        return known | {"insert_deduplicate": "1"} | super()._settings(tag, extra)


def test_1_whatever_the_profile_says(bench: Bench) -> None:
    """Since 26.2 `insert_deduplicate=0` alone says nothing any more."""
    live = bench.create("MergeTree", settings=DEDUP)
    server = Profile(bench.server.address)
    view = View.of(live, bench.piece(WINDOW), bench.pairs)
    plan, group = (
        bench.plan(Path.DELETE_AND_INSERT),
        GroupTable("items", Path.DELETE_AND_INSERT, ()),
    )
    for rows in (ROWS, [], ROWS):
        staged, area = bench.stage(*rows), StagingArea(server, STAGING)
        publish(Job(area, view, plan, group, [staged], bench.attempt(), ignore))
        assert bench.seen() == [row[:2] for row in rows]
    server.close()


def test_2_and_3_equal_blocks_are_not_taken_for_repeats(bench: Bench) -> None:
    bench.create("MergeTree", settings=DEDUP)
    staging = Staging(bench.attempt("window"), bench.table)
    bench.target.stage(bench.live, staging)
    for _ in range(2):
        bench.target.insert(staging, [bench.batch(ROWS)], lambda _rows: None)
    assert bench.target.staged(staging, bench.pairs).rows == 4
    bench.publish(Path.DELETE_AND_INSERT, WINDOW, staging)
    assert len(bench.seen()) == 4


def test_6_only_a_partition_without_staged_rows_is_emptied(bench: Bench) -> None:
    bench.create()
    bench.put(*ROWS)
    facts = bench.publish(Path.SWAP, FEB, bench.stage())
    assert (facts["swapped"], facts["dropped"]) == (0, 1)
    assert bench.seen() == []


def test_7_live_may_have_what_staging_has_not(bench: Bench) -> None:
    extra = ", INDEX i x TYPE bloom_filter, PROJECTION p (SELECT x, count() GROUP BY x)"
    extra += ", w String DEFAULT upper(x), m String MATERIALIZED lower(x), a String ALIAS x"
    settings = f"{PATCHES}, deduplicate_merge_projection_mode = 'rebuild', index_granularity = 1024"
    bench.create(extra=extra, settings=f"TTL t + INTERVAL 90 YEAR {settings}")
    bench.put((9, "old", "2026-02-06", "2026-02-06"))
    staged = bench.stage((1, "Ab", "2026-02-06", "2026-02-06"))
    bench.publish(Path.SWAP, FEB, staged)
    assert bench.seen("k, x, w, m, a") == [(1, "Ab", "AB", "ab", "Ab")]
    bench.publish(Path.IN_PLACE, WINDOW, staged)
    assert bench.seen("k, x, w, m, a") == [(1, "Ab", "AB", "ab", "Ab")]


def test_8_a_load_over_many_partitions_is_published_one_by_one(bench: Bench) -> None:
    bench.create(partition="toDate(t)")
    interval = span("2025-09-01", "2026-02-28")
    rows = [
        (m * 100 + d, "x", f"2026-{m:02}-{d:02}", "2026-01-01")
        for m in (1, 2)
        for d in range(1, 28)
    ]
    rows += [
        (m * 100 + d, "x", f"2025-{m:02}-{d:02}", "2026-01-01")
        for m in (9, 10, 11)
        for d in range(1, 30)
    ]
    staged = bench.stage(*rows)
    assert len(rows) > 100, "more partitions than one insert block may have by default"
    facts = bench.publish(Path.SWAP, interval, staged)
    assert facts["swapped"] == len(rows)
    assert len(bench.seen()) == len(rows)


@pytest.mark.parametrize("which", ["whole", "window"])
def test_9_a_pending_mutation_on_staging_is_not_published(bench: Bench, which: str) -> None:
    bench.create()
    bench.put((1, "old", "2026-02-06", "2026-02-06"))
    staged, attempt = bench.stage(*ROWS), bench.attempt()
    victim = staged if which == "window" else Staging(attempt, bench.table, "whole")
    table = f"windlass_staging.{quote(staging_name(victim))}"
    mutation = f"ALTER TABLE {table} UPDATE x = 'wrong' WHERE sleepEachRow(0.5) = 0 OR throwIf(1)"
    done: list[str] = []

    def mutate(_rows: int) -> None:
        there = bench.rows(f"EXISTS TABLE {table}")
        if there == [(1,)] and not done:
            done.append(mutation)
            bench.server.run(mutation, "windlass/test", {"mutations_sync": "0"})

    with pytest.raises(TransientError, match="not at rest"):
        bench.publish(Path.SWAP, FEB, staged, attempt=attempt, pulse=mutate)
    assert bench.seen() == [(1, "old")]


def test_11_a_stuck_mutation_of_live_parks_and_leaves_none_of_ours(bench: Bench) -> None:
    bench.create(settings="")
    bench.put((1, "stale", "2026-02-06", "2026-02-06"))
    stuck = f"ALTER TABLE {bench.ref} UPDATE x = toString(throwIf(1)) WHERE 1"
    bench.server.run(stuck, "windlass/test", {"mutations_sync": "0"})
    with pytest.raises(StuckMutationError):
        bench.publish(Path.IN_PLACE, WINDOW, bench.stage())
    mutations = f"SELECT command FROM system.mutations WHERE database = '{bench.database}'"
    assert [
        row for row in bench.rows(f"{mutations} AND NOT is_done") if "windlass:" in row[0]
    ] == []


def test_block_numbers_of_two_windows_never_meet_in_live(bench: Bench) -> None:
    """With block columns in staging, 25.8 and 26.1 deleted other rows than those meant."""
    bench.create("MergeTree")
    windows = []
    for window in range(2):
        staged = bench.stage()
        for part in range(3):
            keys = range(window * 300 + part * 100, window * 300 + (part + 1) * 100)
            rows = [(k, "x", "2026-02-06", "2026-02-06") for k in keys]
            bench.target.insert(staged, [bench.batch(rows)], lambda _rows: None)
        bench.run(f"OPTIMIZE TABLE windlass_staging.{quote(staging_name(staged))} FINAL")
        windows.append(staged)
    ((create,),) = bench.rows(f"SHOW CREATE windlass_staging.{quote(staging_name(windows[0]))}")
    assert "enable_block_number_column = 0" in create
    bench.publish(Path.SWAP, FEB, *windows)
    bench.run(
        f"DELETE FROM {bench.ref} WHERE k % 10 = 3 "
        "SETTINGS lightweight_delete_mode = 'lightweight_update_force'"
    )
    bench.run(f"OPTIMIZE TABLE {bench.ref} FINAL")
    assert bench.rows(f"SELECT count(), countIf(k % 10 = 3) FROM {bench.ref}") == [(540, 0)]


def test_12_parts_attached_before_are_not_attached_again(bench: Bench) -> None:
    """ATTACH PARTITION FROM twice doubles rows: the same try, made again after a lost reply."""
    bench.create()
    staged, attempt = bench.stage(*ROWS), bench.attempt()
    for _ in range(2):
        facts = bench.publish(Path.SWAP, FEB, staged, attempt=attempt)
        assert facts["staged"] == len(ROWS)
        assert bench.rows(f"SELECT count() FROM {bench.ref}") == [(len(ROWS),)]


def test_14_every_statement_says_what_it_depends_on(bench: Bench) -> None:
    """As the server's own query log has it, whatever its defaults are: a publish by each path, a
    catch-up, a comparison. What this server does not know cannot be set."""
    attempts = []
    for path in (Path.SWAP, Path.IN_PLACE, Path.DELETE_AND_INSERT, Path.APPEND, Path.DELETE):
        bench.create(settings="")
        bench.put((1, "old", "2026-02-06", "2026-02-05"), (9, "gone", "2026-02-07", "2026-02-05"))
        staged, attempt = bench.stage(*ROWS), bench.attempt()
        bench.publish(path, FEB if path is Path.SWAP else WINDOW, staged, attempt=attempt)
        attempts += [staged.attempt, attempt]
    bench.run("SYSTEM FLUSH LOGS")
    tags = ", ".join(f"'{one.tag}'" for one in attempts)
    logged = bench.rows(
        "SELECT query, Settings FROM system.query_log WHERE type = 'QueryFinish' AND "
        f"extract(Settings['log_comment'], '^[^#]+#[0-9]+') IN ({tags})"
    )
    assert len(logged) > 50
    for query, settings in logged:
        for name, value in MATTERS.items():
            assert settings.get(name) == value, (name, query)


def test_15_no_statement_reads_postgresql_from_clickhouse() -> None:
    """`postgresql()` shifts times where the source's zone is not UTC, and each query has a
    snapshot of its own: rows come through the worker, from one snapshot, in UTC."""
    package = Path_(windlass.__file__).parent
    told = re.compile(r"\b(postgresql|remote|remoteSecure|cluster|url|mysql)\s*\(['\"$]")
    for file in (package / "target").rglob("*.py"):
        assert not told.search(file.read_text(encoding="utf-8")), file
    assert SESSION["TimeZone"] == "UTC"


def test_17_what_is_deleted_was_counted_before(bench: Bench) -> None:
    """A DELETE says nothing about rows: the facts come from a count."""
    bench.create("MergeTree", settings="")
    bench.put(*ROWS, (7, "outside", "2026-02-20", "2026-02-20"))
    facts = bench.publish(Path.DELETE, WINDOW)
    assert facts["deleted"] == len(ROWS)
    again = bench.publish(Path.DELETE, WINDOW)
    assert again["deleted"] == 0


def test_13_views_are_named(bench: Bench) -> None:
    bench.create()
    bench.run(
        f"CREATE MATERIALIZED VIEW {quote(bench.database)}.`my view` ENGINE = MergeTree ORDER BY k "
        f"AS SELECT k FROM {bench.ref}"
    )
    assert bench.live.dependents == (f"{bench.database}.my view",)


def test_16_keys_are_merged_across_partitions(bench: Bench) -> None:
    bench.create()
    bench.put((1, "january", "2026-01-05", "2026-01-05"))
    bench.put((1, "february", "2026-02-06", "2026-02-06"))
    january = span("2026-01-01", "2026-02-01")
    assert bench.target.count(bench.live, "t", [january, FEB]) == [0, 1]


@pytest.mark.parametrize(("order", "parts"), [("(k, t)", 1), ("k", 3)])
def test_16_but_only_where_a_successor_may_lie_elsewhere(
    bench: Bench, order: str, parts: int
) -> None:
    """With the time in the sorting key a row and its successor share a partition: then the other
    partitions are not even read."""
    bench.create(order=order)
    for month, key in (("01", 1), ("02", 2), ("03", 3)):
        bench.put((key, "old", f"2026-{month}-05", f"2026-{month}-05"))
        bench.put((key, "new", f"2026-{month}-05", f"2026-{month}-06"))
    bench.run(f"OPTIMIZE TABLE {bench.ref} FINAL")
    tag = f"windlass/{bench.database}/{order}"
    found = digest.count(bench.server, bench.live, "t", [FEB], tag)
    assert found == [1]
    bench.run("SYSTEM FLUSH LOGS query_log")
    selected = (
        "SELECT ProfileEvents['SelectedParts'] FROM system.query_log "
        "WHERE type = 'QueryFinish' AND query_kind = 'Select' AND log_comment = {tag:String}"
    )
    assert bench.server.rows(selected, params={"tag": tag}) == [(parts,)]
