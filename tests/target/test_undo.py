"""Keep and put back: what a swap replaced comes back row by row, and nothing else moves."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from tests.target.bench import STAGING, Bench, ignore, span
from windlass.domain.attempt import Attempt
from windlass.domain.errors import PlanError, StagingGoneError
from windlass.domain.plan import GroupTable
from windlass.domain.states import Path
from windlass.domain.undo import KeptTable, Leftover, Prints
from windlass.domain.window import Interval

FEB = span("2026-02-01", "2026-03-01")
ALL = "k, x, toString(t), toString(v)"


class Stopped(Exception):
    """The process was killed here."""


def group(bench: Bench, interval: Interval = FEB) -> GroupTable:
    whole = bench.target.whole_ranges(bench.live, bench.time, interval) or []
    return GroupTable(bench.table, Path.SWAP, tuple(whole))


def keep(
    bench: Bench,
    interval: Interval = FEB,
    attempt: Attempt | None = None,
    pulse: Callable[[int], None] = ignore,
) -> KeptTable:
    at = group(bench, interval)
    one = attempt or bench.attempt()
    return bench.target.keep(bench.live, bench.piece(interval), at, one, pulse)


def prints(bench: Bench, interval: Interval = FEB) -> Prints:
    at = group(bench, interval)
    return bench.target.prints(bench.live, bench.piece(interval), at, bench.attempt(), ignore)


def restore(bench: Bench, kept: KeptTable, interval: Interval = FEB) -> dict[str, int]:
    at = group(bench, interval)
    found = bench.target.restore(
        bench.live, bench.piece(interval), at, kept, bench.attempt("undo"), ignore
    )
    return dict(found)


def ours(bench: Bench, *attempts: Attempt) -> list[Leftover]:
    subjects = {(one.subject, one.number) for one in attempts}
    return [one for one in bench.target.leftovers() if (one.subject, one.number) in subjects]


def old_rows(bench: Bench) -> None:
    """January and March stand beside; February has versions, one of them superseded."""
    bench.put((9, "january", "2026-01-31T23:59:59.999999", "2026-02-04"))
    bench.put((8, "march", "2026-03-01", "2026-02-04"))
    bench.put((1, "older", "2026-02-03", "2026-02-01"), (2, "stale", "2026-02-04", "2026-02-04"))
    bench.put((1, "old", "2026-02-03", "2026-02-03"), (3, "third", "2026-02-28", "2026-02-04"))


@pytest.mark.parametrize("engine", ["ReplacingMergeTree(v)", "MergeTree"])
def test_old_rows_come_back_exactly_and_what_is_outside_stays(bench: Bench, engine: str) -> None:
    bench.create(engine=engine, extra=", m UInt64 MATERIALIZED k * 2, INDEX ix x TYPE set(9)")
    old_rows(bench)
    before, seen = prints(bench), bench.seen(ALL)
    kept = keep(bench)
    assert kept.before == before
    assert kept.bytes > 0
    staged = bench.stage(
        (1, "new", "2026-02-03", "2026-02-05"), (5, "five", "2026-02-09", "2026-02-09")
    )
    bench.publish(Path.SWAP, FEB, staged)
    assert bench.seen(ALL) != seen
    bench.put((10, "april", "2026-04-01", "2026-02-04"))
    for _ in range(2):
        assert restore(bench, kept)["replaced"] == 1
        assert bench.seen(ALL, "k != 10") == seen
        assert prints(bench) == before
    assert (10, "april") in bench.seen()


SHAPES = {
    "table TTL": {"settings": "TTL toDateTime(t) + INTERVAL 10 YEAR"},
    "column TTL": {"extra": ", c String DEFAULT 'a' TTL toDateTime(t) + INTERVAL 10 YEAR"},
    "projection": {
        "extra": ", PROJECTION p (SELECT k, x ORDER BY x)",
        "settings": "SETTINGS deduplicate_merge_projection_mode = 'rebuild'",
    },
    "tombstones": {"engine": "ReplacingMergeTree(v, d)", "extra": ", d UInt8 DEFAULT 0"},
    "computed columns": {
        "extra": ", a String ALIAS upper(x), m String MATERIALIZED lower(x), "
        "CONSTRAINT c CHECK k > 0"
    },
    "types": {
        "extra": ", mm Map(String, Array(Nullable(Int64))) DEFAULT map('a', [1, NULL]), "
        "j JSON DEFAULT '{\"a\": 1}', u UUID DEFAULT generateUUIDv4(), n Nested(a Int8)"
    },
}


@pytest.mark.parametrize("shape", SHAPES)
def test_tables_of_every_shape_come_back(bench: Bench, shape: str) -> None:
    bench.create(**SHAPES[shape])
    old_rows(bench)
    seen, before, kept = bench.seen("*"), prints(bench), keep(bench)
    bench.publish(Path.SWAP, FEB, bench.stage((1, "new", "2026-02-03", "2026-02-05")))
    restore(bench, kept)
    assert bench.seen("*") == seen
    assert prints(bench) == before


def test_a_partition_that_was_empty_is_dropped_again(bench: Bench) -> None:
    bench.create(partition="toDate(t)")
    bench.put((1, "old", "2026-02-03", "2026-02-03"), (9, "january", "2026-01-31", "2026-02-04"))
    seen = bench.seen(ALL)
    kept = keep(bench)
    staged = bench.stage(
        (1, "new", "2026-02-03", "2026-02-05"), (5, "five", "2026-02-09", "2026-02-09")
    )
    bench.publish(Path.SWAP, FEB, staged)
    facts = restore(bench, kept)
    assert (facts["replaced"], facts["dropped"], facts["late_rows"]) == (1, 1, 0)
    assert bench.seen(ALL) == seen


def test_a_range_that_was_empty_is_empty_again(bench: Bench) -> None:
    bench.create()
    bench.put((9, "january", "2026-01-31", "2026-02-04"))
    kept = keep(bench)
    assert (kept.before, kept.bytes) == ({}, 0)
    bench.publish(Path.SWAP, FEB, bench.stage((1, "new", "2026-02-03", "2026-02-05")))
    assert restore(bench, kept)["dropped"] == 1
    assert bench.seen() == [(9, "january")]


def test_a_dropped_partition_comes_back(bench: Bench) -> None:
    bench.create()
    old_rows(bench)
    seen = bench.seen(ALL)
    kept = keep(bench)
    bench.publish(Path.DELETE, FEB)
    assert bench.seen() == [(8, "march"), (9, "january")]
    restore(bench, kept)
    assert bench.seen(ALL) == seen


def test_prints_stay_the_same_when_parts_are_merged_and_tell_a_changed_cell(bench: Bench) -> None:
    bench.create()
    old_rows(bench)
    before = prints(bench)
    bench.run(f"OPTIMIZE TABLE {bench.ref} FINAL")
    assert prints(bench) == before
    bench.put((2, "stale!", "2026-02-04", "2026-02-05"))
    assert prints(bench) != before
    assert {one.rows for one in prints(bench).values()} == {one.rows for one in before.values()}


def test_what_is_kept_is_not_merged_by_the_server(bench: Bench) -> None:
    bench.create()
    old_rows(bench)
    kept = keep(bench)
    sql = (
        "SELECT count() FROM system.merge_tree_settings"  # the server knows the settings at all
        " WHERE name LIKE 'max_bytes_to_merge_at_m%_space_in_pool'"
    )
    assert bench.rows(sql) == [(2,)]
    ddl = f"SELECT engine_full FROM system.tables WHERE database='{STAGING}' AND name='{kept.name}'"
    assert "max_bytes_to_merge_at_max_space_in_pool = 1" in bench.rows(ddl)[0][0]


def test_patches_of_earlier_edits_are_kept_as_readers_saw_them(bench: Bench) -> None:
    bench.create()
    old_rows(bench)
    bench.server.run(
        f"DELETE FROM {bench.ref} WHERE k = 2",
        "windlass/test",
        {
            "lightweight_delete_mode": "lightweight_update_force",
            "enable_lightweight_update": "1",
            "allow_experimental_lightweight_update": "1",
        },
    )
    seen = bench.seen(ALL)
    kept = keep(bench)
    bench.publish(Path.SWAP, FEB, bench.stage((2, "new", "2026-02-03", "2026-02-05")))
    restore(bench, kept)
    assert bench.seen(ALL) == seen


@pytest.mark.parametrize("statement", range(1, 5))
def test_a_keep_that_is_killed_anywhere_is_done_again_without_doubles(
    bench: Bench, statement: int
) -> None:
    bench.create(partition="toDate(t)")
    old_rows(bench)
    before, attempt = prints(bench), bench.attempt()
    told: list[int] = []

    def die(_rows: int) -> None:
        told.append(1)
        if len(told) == statement + 1:
            raise Stopped

    with pytest.raises(Stopped):
        keep(bench, attempt=attempt, pulse=die)
    assert keep(bench, attempt=attempt).before == before
    held = f"SELECT count() FROM `{STAGING}`.`{keep(bench, attempt=attempt).name}`"
    rows = bench.rows(f"SELECT count() FROM {bench.ref} WHERE toYYYYMM(t) = 202602")
    assert bench.rows(held) == rows


def test_an_undo_that_is_killed_between_two_partitions_ends_the_same(bench: Bench) -> None:
    bench.create(partition="toDate(t)")
    old_rows(bench)
    seen, kept = bench.seen(ALL), keep(bench)
    staged = bench.stage(
        (1, "new", "2026-02-03", "2026-02-05"), (5, "five", "2026-02-09", "2026-02-09")
    )
    bench.publish(Path.SWAP, FEB, staged)
    first = sorted(kept.before)[0]
    bench.run(
        f"ALTER TABLE {bench.ref} REPLACE PARTITION ID '{first}' FROM `{STAGING}`.`{kept.name}`"
    )
    restore(bench, kept)
    assert bench.seen(ALL) == seen


def test_a_finished_undo_cannot_be_repeated_by_who_wakes_up_late(bench: Bench) -> None:
    bench.create()
    attempt = bench.attempt()
    kept = keep(bench, attempt=attempt)
    bench.publish(Path.SWAP, FEB, bench.stage((1, "new", "2026-02-03", "2026-02-05")))
    (found,) = [one for one in ours(bench, attempt) if one.kept]
    assert bench.target.drop_leftover(found)
    with pytest.raises(StagingGoneError):
        restore(bench, kept)
    assert bench.seen() == [(1, "new")]


def test_sweeping_an_attempt_leaves_what_it_kept(bench: Bench) -> None:
    bench.create()
    old_rows(bench)
    attempt = bench.attempt()
    kept = keep(bench, attempt=attempt)
    bench.target.sweep(attempt)
    assert [one.name for one in ours(bench, attempt)] == [kept.name]


def test_a_partition_that_reaches_beyond_the_range_is_refused(bench: Bench) -> None:
    bench.create(partition="toYear(t)")
    bench.put((1, "old", "2026-02-03", "2026-02-03"), (9, "january", "2026-01-31", "2026-02-04"))
    at = GroupTable(bench.table, Path.SWAP, (FEB,))
    with pytest.raises(PlanError, match="cannot be kept"):
        bench.target.keep(bench.live, bench.piece(FEB), at, bench.attempt(), ignore)


STRANGERS: Sequence[tuple[str, str]] = (
    ("notes", ""),
    ("0123456789abcdef_items_rows_all", ""),
    ("0123456789abcdef_items_rows_all", "windlass/acme-jan/x/y#1 2026-01-01T00:00:00+00:00"),
    ("kept_copy", "windlass/acme-jan/x/y#1 2026-01-01T00:00:00+00:00"),
    ("backup", "made by windlass once"),
)


@pytest.mark.parametrize(("name", "comment"), STRANGERS)
def test_a_table_without_our_mark_is_nobodys_leftover(
    bench: Bench, name: str, comment: str
) -> None:
    bench.run(f"CREATE DATABASE IF NOT EXISTS `{STAGING}`")
    table = f"`{STAGING}`.`{name}`"
    bench.run(f"DROP TABLE IF EXISTS {table} SYNC")
    bench.run(f"CREATE TABLE {table} (a Int8) ENGINE = MergeTree ORDER BY a COMMENT '{comment}'")
    try:
        assert name not in [one.name for one in bench.target.leftovers()]
    finally:
        bench.run(f"DROP TABLE {table} SYNC")


def test_a_leftover_is_dropped_only_while_its_mark_is_the_same(bench: Bench) -> None:
    bench.create()
    staged = bench.stage((1, "new", "2026-02-03", "2026-02-05"))
    (found,) = ours(bench, staged.attempt)
    assert (found.kept, found.rows) == (False, 1)
    assert not bench.target.drop_leftover(replace(found, number=found.number + 1))
    assert bench.target.drop_leftover(found)
    assert ours(bench, staged.attempt) == []
    assert not bench.target.drop_leftover(found)
