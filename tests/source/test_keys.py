"""Digests and rows by key, hash and change."""

from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from windlass.domain.attempt import Attempt
from windlass.domain.dataset import Slice, TableSpec, TenantColumns
from windlass.domain.errors import PlanError
from windlass.domain.schema import ColumnPair, TargetColumn
from windlass.domain.window import Interval
from windlass.source import keys as by_key
from windlass.source.postgres import PostgresSource
from windlass.source.times import TimeType
from windlass.verify.pairs import match

from .world import CARD, NOTE, TENANT, Db, dataset, hashes, ids, keys, pairs_for

pytestmark = pytest.mark.usefixtures("world")

FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)


def test_digests_add_up_over_steps(source: PostgresSource, scores: Slice, attempt: Attempt) -> None:
    pairs = pairs_for(source, scores)
    (whole,) = source.digest(scores, pairs, attempt, None)
    middle = datetime(2026, 1, 20, tzinfo=UTC)
    parts = list(scores.interval.split([middle]))
    last, first, again = source.digest(
        scores, pairs, attempt, None, [parts[1], parts[0], scores.interval]
    )
    assert whole.rows == 6
    assert (first.rows, last.rows) == (3, 3)
    assert again == whole
    assert int(first.sum) + int(last.sum) == int(whole.sum)


def test_digests_are_the_sum_of_the_hashes(
    source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    pairs = pairs_for(source, cards)
    table = hashes(source, cards, pairs, attempt)
    kept = [row["hash"] for row in table.to_pylist() if row["excluded"] is None]
    (digest,) = source.digest(cards, pairs, attempt, None)
    assert (digest.rows, int(digest.sum)) == (2, sum(kept))


def test_rows_by_hash_gives_all_rows_of_the_slice(
    source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    table = hashes(source, cards, pairs_for(source, cards), attempt)
    assert table.schema.names == ["scorecard_id", "hash", "excluded"]
    assert table.schema.field("hash").type == pa.int64()
    assert {row["scorecard_id"]: row["excluded"] for row in table.to_pylist()} == {
        "1": None,
        "2": "appeal_requests",
        "3": "drafts",
        "4": "appeal_requests",
        "5": None,
    }


def test_read_excluded_gives_what_was_kept_out(
    source: PostgresSource, scores: Slice, attempt: Attempt
) -> None:
    pairs = pairs_for(source, scores)
    with source.read_excluded(scores, pairs, attempt, None) as batches:
        found = pa.Table.from_batches(batches).to_pylist()
    assert len(found) == 9
    assert {(row["score_id"], row["excluded"]) for row in found} >= {
        ("20", "appeal_requests"),
        ("30", "drafts"),
        ("42", "appeal_requests"),
    }


def test_nothing_is_kept_out_without_exclusions(
    source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    open_ = replace(CARD, exclusions=())
    piece = replace(cards, dataset=dataset(open_), table=open_)
    with source.read_excluded(piece, pairs_for(source, piece), attempt, None) as batches:
        assert list(batches) == []


def test_lookup_tells_where_rows_are_now(
    world: Db, source: PostgresSource, scores: Slice, attempt: Attempt
) -> None:
    world.execute("DELETE FROM app.scores WHERE score_id = 11")
    pairs = pairs_for(source, scores)
    asked = ["10", "11", "20", "60", "70", "80", "999", "10"]
    found = source.lookup(scores, pairs, keys(score_id=asked), attempt)
    assert found.schema.names == ["score_id", "hash", "excluded", "inside", "ours"]
    seen = found.to_pylist()
    assert {row["score_id"]: (row["excluded"], row["inside"], row["ours"]) for row in seen} == {
        "10": (None, True, True),
        "20": ("appeal_requests", True, True),
        "60": (None, False, True),  # February
        "70": (None, False, False),  # globex
        "80": (None, False, True),  # no time
        "999": (None, False, False),  # no parent
    }
    assert found.num_rows == 6


def test_lookup_and_rows_by_hash_agree_on_every_key_type(
    world: Db, source: PostgresSource, attempt: Attempt
) -> None:
    """Keys go out as canonical text and come back as values, for all types that may be keys."""
    types = {
        "i2": ("smallint", "Int16", "-7"),
        "i4": ("int", "Int32", "42"),
        "i4s": ("int", "String", "42"),
        "i8": ("bigint", "Int64", "-9007199254740993"),
        "u": ("uuid", "UUID", "6b1f0c9e-0000-4000-8000-00000000000a"),
        "us": ("uuid", "String", "6b1f0c9e-0000-4000-8000-00000000000a"),
        "tu": ("text", "UUID", "6b1f0c9e-0000-4000-8000-00000000000a"),
        "n": ("numeric(12,3)", "Decimal(12, 3)", "10.500"),
        "t": ("text", "String", 'N|":{}%s,\\ é'),
        "v": ("varchar(30)", "String", "it''s: 1:2"),
        "c": ("char(8)", "String", "ab"),
        "z": ("timestamptz", "DateTime64(6)", "2026-01-01 10:11:12.123456Z"),
        "d": ("date", "Date32", "2026-01-05"),
        "b": ("boolean", "Bool", "true"),
        "f": ("double precision", "Float64", "0.1"),
    }
    columns = ", ".join(f"{name} {one[0]}" for name, one in types.items())
    values = ", ".join(f"'{one[2]}'" for one in types.values())
    world.execute(
        f"CREATE TABLE app.wide (cust text, at timestamptz, {columns});"
        f"INSERT INTO app.wide VALUES ('acme', '2026-01-05Z', {values})"
    )
    for name, (_, target, _) in types.items():
        table = TableSpec("wide", "app.wide", "at", (name,), tenant=TenantColumns("cust"))
        both = replace(table, key=(name, "i4") if name != "i4" else ("i4", "t"))
        for one in (table, both):
            piece = Slice(dataset(one), one, TENANT, JANUARY)
            wanted = [TargetColumn(k, f"Nullable({v[1]})") for k, v in types.items()]
            pairs = match(source.columns(one, dataset(one)), wanted).pairs
            known = hashes(source, piece, pairs, attempt)
            assert known.num_rows == 1
            seen = source.lookup(piece, pairs, known, attempt)
            assert seen.column("hash").to_pylist() == known.column("hash").to_pylist(), target
            assert source.read_keys(piece, pairs, known, attempt).num_rows == 1


def test_a_null_in_a_key_is_found_as_text(
    world: Db, source: PostgresSource, attempt: Attempt
) -> None:
    world.execute(
        "CREATE TABLE app.n (a int, b text, cust text, at timestamptz);"
        "INSERT INTO app.n VALUES (NULL, 'x', 'acme', '2026-01-05Z'),"
        "(1, 'N', 'acme', '2026-01-05Z'), (1, NULL, 'acme', '2026-01-05Z')"
    )
    table = TableSpec("n", "app.n", "at", ("a", "b"), tenant=TenantColumns("cust"))
    piece = Slice(dataset(table), table, TENANT, JANUARY)
    pairs = pairs_for(source, piece)
    known = hashes(source, piece, pairs, attempt)
    assert source.lookup(piece, pairs, known, attempt).num_rows == 3


def test_many_keys_are_asked_in_chunks_from_one_snapshot(
    world: Db, source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    number = by_key.CHUNK + 10
    world.execute(
        "INSERT INTO app.scorecards SELECT g, 'acme', 'voice', 'x', false, 1, '2026-01-10Z', "
        f"'2026-01-10Z' FROM generate_series(1001, {1000 + number}) g"
    )
    asked = keys(scorecard_id=[str(1001 + n) for n in range(number)])
    pairs = pairs_for(source, cards)
    assert source.lookup(cards, pairs, asked, attempt).num_rows == number
    rows = source.read_keys(cards, pairs, asked, attempt)
    assert ids(rows, "scorecard_id") == list(range(1001, 1001 + number))


def test_no_keys_give_empty_tables(source: PostgresSource, cards: Slice, attempt: Attempt) -> None:
    pairs = pairs_for(source, cards)
    none = keys(scorecard_id=[])
    assert source.read_keys(cards, pairs, none, attempt).schema.names == [p.name for p in pairs]
    assert source.lookup(cards, pairs, none, attempt).num_rows == 0


def test_read_keys_gives_only_kept_rows_of_the_slice(
    source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    asked = keys(scorecard_id=["1", "2", "6", "7", "12345"])
    rows = source.read_keys(cards, pairs_for(source, cards), asked, attempt)
    assert ids(rows, "scorecard_id") == [1]


def test_single_keys_use_the_index(world: Db, source: PostgresSource, cards: Slice) -> None:
    world.execute(
        "INSERT INTO app.scorecards SELECT g, 'acme', 'voice', 'x', false, 1, '2026-01-10Z', "
        "now() FROM generate_series(1000, 40000) g; ANALYZE app.scorecards"
    )
    query = by_key.lookup_sql(cards, pairs_for(source, cards), TimeType.ZONED, [["5", "6"]])
    plan = world.execute(f"EXPLAIN {query}")
    assert any("scorecards_pkey" in line for (line,) in plan)


def test_changed_finds_own_and_inherited_changes(
    world: Db, source: PostgresSource, cards: Slice, scores: Slice, attempt: Attempt
) -> None:
    """Score 11 itself, and the scores of card 2; 6 moved out of the range; 70 is globex's."""
    world.execute(
        "UPDATE app.scorecards SET updated_at = '2026-03-01Z', scorecard_type = 'standard' "
        "WHERE scorecard_id = 2;"
        "UPDATE app.scorecards SET updated_at = '2026-03-01Z', created_at = '2026-02-10Z' "
        "WHERE scorecard_id = 5;"
        "UPDATE app.scores SET updated_at = '2026-03-01Z' WHERE score_id IN (11, 70, 999)"
    )
    march = datetime(2026, 3, 1, tzinfo=UTC)
    rows = source.changed(cards, pairs_for(source, cards), march, attempt)
    assert answer(rows, "scorecard_id") == {"2": True, "5": False}
    rows = source.changed(scores, pairs_for(source, scores), march, attempt)
    inside = {"11": True, "20": True, "21": True, "22": True}
    assert answer(rows, "score_id") == inside | {"50": True, "51": True, "52": True}
    notes = Slice(scores.dataset, NOTE, TENANT, scores.interval)
    rows = source.changed(notes, pairs_for(source, notes), march, attempt)
    assert sorted(answer(rows, "note_id").values()) == [True] * 7


def test_changed_now_includes_newly_excluded_rows(
    world: Db, source: PostgresSource, cards: Slice, scores: Slice, attempt: Attempt
) -> None:
    world.execute(
        "UPDATE app.scorecards SET updated_at = '2026-03-01Z', draft = true WHERE scorecard_id = 1"
    )
    march = datetime(2026, 3, 1, tzinfo=UTC)
    for piece, column in ((cards, "scorecard_id"), (scores, "score_id")):
        rows = source.changed(piece, pairs_for(source, piece), march, attempt)
        assert set(answer(rows, column).values()) == {False}
    later = datetime(2026, 3, 1, 0, 0, 0, 1, tzinfo=UTC)
    assert source.changed(cards, pairs_for(source, cards), later, attempt).num_rows == 0


def test_rows_that_went_to_another_tenant_are_found_elsewhere(
    world: Db, source: PostgresSource, cards: Slice, scores: Slice, attempt: Attempt
) -> None:
    """Card 1 was sold, and its scores with it; 7 was globex's all along."""
    world.execute(
        "UPDATE app.scorecards SET updated_at = '2026-03-01Z', customer_id = 'globex' "
        "WHERE scorecard_id = 1;"
        "UPDATE app.scorecards SET updated_at = '2026-03-01Z' WHERE scorecard_id IN (5, 7)"
    )
    march = datetime(2026, 3, 1, tzinfo=UTC)
    found = source.changed_elsewhere(cards, pairs_for(source, cards), march, 10, attempt)
    assert ids(found, "scorecard_id") == ["1", "7"]
    found = source.changed_elsewhere(scores, pairs_for(source, scores), march, 10, attempt)
    assert ids(found, "score_id") == ["10", "11", "12", "70", "71", "72"]
    some = source.changed_elsewhere(scores, pairs_for(source, scores), march, 4, attempt)
    assert some.num_rows == 4


def test_the_keys_of_kept_rows(
    world: Db, source: PostgresSource, cards: Slice, scores: Slice, attempt: Attempt
) -> None:
    with source.kept_keys(cards, pairs_for(source, cards), attempt, None) as batches:
        rows = pa.Table.from_batches(list(batches))
    assert ids(rows, "scorecard_id") == ["1", "5"]
    assert set(rows["excluded"].to_pylist()) == {""}
    with source.kept_keys(scores, pairs_for(source, scores), attempt, None) as batches:
        rows = pa.Table.from_batches(list(batches))
    assert ids(rows, "score_id") == ["10", "11", "12", "50", "51", "52"]


def test_changed_needs_a_version_that_is_a_time(
    source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    pairs = pairs_for(source, cards)
    for version in (None, "points"):
        table = replace(CARD, version=version)
        piece = replace(cards, table=table, dataset=dataset(table))
        with pytest.raises(PlanError):
            source.changed(piece, pairs, FEBRUARY, attempt)


def answer(rows: pa.Table, key: str) -> dict[str, bool]:
    assert rows.schema.names == [key, "inside"]
    return {row[key]: row["inside"] for row in rows.to_pylist()}


JANUARY = Interval(datetime(2026, 1, 1, tzinfo=UTC), FEBRUARY)
Pairs = tuple[ColumnPair, ...]
