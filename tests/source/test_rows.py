"""Counting and reading: tenants, exclusions, parents, time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from windlass.domain.attempt import Attempt
from windlass.domain.dataset import ParentLink, Slice, TableSpec, TenantColumns
from windlass.domain.errors import PlanError
from windlass.domain.results import SliceCount
from windlass.domain.schema import TargetColumn
from windlass.domain.tenant import Tenant
from windlass.domain.window import Interval
from windlass.source import times
from windlass.source.postgres import PostgresSource
from windlass.source.select import select_kept
from windlass.verify.pairs import match

from .world import (
    CARD,
    NOTE,
    SCORE,
    TENANT,
    Db,
    dataset,
    ids,
    keys,
    pairs_for,
    pairs_of,
    read,
)

pytestmark = pytest.mark.usefixtures("world")


def test_count_credits_the_first_exclusion_and_keeps_null(
    source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    found = source.count(cards, pairs_for(source, cards), attempt, None)
    assert (found.kept, found.excluded) == (2, {"appeal_requests": 2, "drafts": 1})
    assert found.max_version == "2026-02-09 00:00:00+00"
    assert found.hazards == {}


def test_read_gives_the_kept_rows(source: PostgresSource, cards: Slice, attempt: Attempt) -> None:
    table = read(source, cards, attempt)
    assert ids(table, "scorecard_id") == [1, 5]
    assert table.column_names == [pair.name for pair in pairs_for(source, cards)]


def test_children_inherit_tenant_and_exclusions(
    source: PostgresSource, scores: Slice, attempt: Attempt
) -> None:
    found = source.count(scores, (), attempt, None)
    assert (found.kept, found.excluded) == (6, {"appeal_requests": 6, "drafts": 3})
    assert ids(read(source, scores, attempt), "score_id") == [10, 11, 12, 50, 51, 52]


def test_grandchildren_take_the_time_from_the_parent(
    source: PostgresSource, scores: Slice, attempt: Attempt
) -> None:
    notes = Slice(scores.dataset, NOTE, TENANT, scores.interval)
    found = source.count(notes, (), attempt, None)
    assert (found.kept, found.excluded) == (
        5,
        {"appeal_requests": 6, "drafts": 3, "secret": 1},
    )
    table = read(source, notes, attempt)
    assert ids(table, "score_id") == [11, 12, 50, 51, 52]
    assert table.schema.field("created_at").type == pa.timestamp("us", "UTC")
    assert min(ids(table, "created_at")) == datetime(2026, 1, 1, tzinfo=UTC)


def test_children_of_a_parent_found_twice_come_once(
    world: Db, source: PostgresSource, january: Interval, attempt: Attempt
) -> None:
    """The link leads to something that is not the parent's key: one kept parent is enough."""
    world.execute(
        "ALTER TABLE app.scorecards ADD batch text; ALTER TABLE app.scores ADD batch text;"
        "UPDATE app.scorecards SET batch = 'b' WHERE scorecard_id IN (1, 2, 3);"
        "UPDATE app.scorecards SET batch = 'c' WHERE scorecard_id = 4;"
        "UPDATE app.scores SET batch = 'b' WHERE score_id IN (10, 11);"
        "UPDATE app.scores SET batch = 'c' WHERE score_id = 12"
    )
    score = replace(SCORE, parent=ParentLink("scorecard", (("batch", "batch"),)))
    piece = Slice(dataset(CARD, score), score, TENANT, january)
    found = source.count(piece, (), attempt, None)
    assert (found.kept, found.excluded) == (2, {"appeal_requests": 1})
    assert ids(read(source, piece, attempt), "score_id") == [10, 11]
    pairs = pairs_for(source, piece)
    seen = source.lookup(piece, pairs, keys(score_id=["10", "12", "20"]), attempt).to_pylist()
    assert {row["score_id"]: (row["excluded"], row["inside"]) for row in seen} == {
        "10": (None, True),
        "12": ("appeal_requests", True),
        "20": (None, False),
    }


def test_counts_need_no_pairs_and_no_snapshot(
    source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    found = source.count(cards, (), attempt, None)
    assert (found.kept, found.excluded) == (2, {"appeal_requests": 2, "drafts": 1})


def test_counts_per_step_are_the_counts_of_the_steps(
    source: PostgresSource, cards: Slice, scores: Slice, attempt: Attempt
) -> None:
    for piece in (cards, scores):
        pairs = pairs_for(source, piece)
        steps = list(piece.interval.split([datetime(2026, 1, n, tzinfo=UTC) for n in (10, 20)]))
        alone = [
            replace(source.count(replace(piece, interval=s), pairs, attempt, None), excluded={})
            for s in steps
        ]
        assert source.counts(piece, pairs, steps, attempt, None) == alone
        bare = source.counts(piece, pairs, steps, attempt, None, versions=False)
        assert bare == [replace(one, max_version=None) for one in alone]
        some = source.counts(piece, (), [steps[2], steps[0]], attempt, None)
        assert some == [replace(one, hazards={}) for one in (alone[2], alone[0])]
        assert sum(one.kept for one in alone) == source.count(piece, (), attempt, None).kept
        days = list(piece.interval.split([datetime(2026, 1, n, tzinfo=UTC) for n in range(2, 31)]))
        by_day = source.counts(piece, (), days, attempt, None)
        for step, count in zip(steps, alone, strict=True):
            inside = [c.kept for d, c in zip(days, by_day, strict=True) if step.contains(d.start)]
            assert sum(inside) == count.kept


def test_an_empty_slice_counts_nothing(
    source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    later = replace(cards, interval=day(2027, 1, 1))
    assert source.count(later, pairs_for(source, later), attempt, None) == SliceCount(0)
    with source.read(later, pairs_for(source, later), attempt, None) as batches:
        assert list(batches) == []


def test_hazards_are_counted_over_kept_rows(
    world: Db, source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    world.execute(
        "UPDATE app.scorecards SET created_at = '2026-01-02 00:00:00.0000005Z' "
        "WHERE scorecard_id = 1; ALTER TABLE app.scorecards ADD w numeric;"
        "UPDATE app.scorecards SET w = 'NaN' WHERE scorecard_id < 4"
    )
    own = source.columns(cards.table, cards.dataset)
    pairs = match(own, [TargetColumn("w", "Nullable(Decimal(10, 2))")]).pairs
    assert source.count(cards, pairs, attempt, None).hazards == {"w": 1}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("timestamptz", [2, 3]),
        ("timestamp", [2, 3]),
        ("timestamp(0)", [2, 3]),
        ("date", [3]),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_time_without_zone_is_utc(
    world: Db, attempt: Attempt, kind: str, expected: list[int], zone: str
) -> None:
    """From noon to noon, whatever the database's own zone: a date is its UTC midnight."""
    world.execute(
        f"CREATE TABLE app.plain (id int PRIMARY KEY, c text, at {kind});"
        "INSERT INTO app.plain VALUES (1, 'acme', '2026-01-01 11:59:59'),"
        "(2, 'acme', '2026-01-01 12:00:00'), (3, 'acme', '2026-01-02 11:59:59'),"
        "(4, 'acme', '2026-01-02 12:00:00'), (5, 'acme', 'infinity');"
        f"ALTER DATABASE {world.name} SET TimeZone = '{zone}'"
    )
    if kind == "timestamptz":
        world.execute("SET TimeZone = 'UTC'; UPDATE app.plain SET at = at")
    table = TableSpec("plain", "app.plain", "at", ("id",), tenant=TenantColumns("c"))
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    piece = Slice(dataset(table), table, TENANT, Interval(noon, noon + timedelta(days=1)))
    if kind == "date":
        world.execute("DELETE FROM app.plain WHERE id IN (2, 4)")
    source = PostgresSource(world.url)
    assert ids(read(source, piece, attempt), "id") == expected
    assert source.count(piece, (), attempt, None).kept == len(expected)
    with source.counting(attempt) as counting:
        (tally,) = counting.tallies([piece], timedelta(days=1), [], 60)
    assert tally.steps == {noon: len(expected)}
    steps = list(piece.interval.split([noon + timedelta(hours=6)]))
    found = source.digest(piece, pairs_for(source, piece), attempt, None, steps)
    assert sum(one.rows for one in found) == len(expected)


@pytest.mark.parametrize("kind", ["uuid", "int", "varchar(40)", "char(40)"])
def test_tenants_of_any_type(
    source: PostgresSource, world: Db, attempt: Attempt, kind: str
) -> None:
    value = {"uuid": "6b1f0c9e-0000-4000-8000-000000000001", "int": "17"}.get(kind, "it's 100%")
    quoted = value.replace("'", "''")
    world.execute(
        f"CREATE TABLE app.typed (id int PRIMARY KEY, c {kind}, at timestamptz);"
        f"INSERT INTO app.typed VALUES (1, '{quoted}', '2026-01-01Z')"
    )
    table = TableSpec("typed", "app.typed", "at", ("id",), tenant=TenantColumns("c"))
    data = dataset(table, tenants_query="SELECT c FROM app.typed")
    assert source.tenants(data) == [(value, "")]
    tenant = Tenant("test", value, "", "x")
    piece = Slice(data, table, tenant, day(2026, 1, 1))
    assert source.count(piece, (), attempt, None).kept == 1


def test_a_tenant_that_the_type_cannot_hold_is_told(
    source: PostgresSource, world: Db, attempt: Attempt
) -> None:
    world.execute("CREATE TABLE app.typed (id int PRIMARY KEY, c uuid, at timestamptz)")
    table = TableSpec("typed", "app.typed", "at", ("id",), tenant=TenantColumns("c"))
    piece = Slice(dataset(table), table, TENANT, day(2026, 1, 1))
    with pytest.raises(PlanError, match="invalid input syntax for type uuid"):
        source.count(piece, (), attempt, None)


def test_tenants_are_distinct_sorted_and_never_null(world: Db, source: PostgresSource) -> None:
    world.execute("UPDATE app.scorecards SET profile_id = NULL WHERE scorecard_id = 7")
    query = "SELECT customer_id, profile_id, created_at FROM app.scorecards;"
    assert source.tenants(dataset(tenants_query=query)) == [("acme", "chat"), ("acme", "voice")]
    listed = dataset(tenants_list=(("b", "y"), ("a", "x"), ("b", "y")))
    assert source.tenants(listed) == [("a", "x"), ("b", "y")]


def test_the_tenant_index_serves(world: Db, cards: Slice) -> None:
    world.execute(
        "CREATE INDEX by_tenant ON app.scorecards (customer_id, profile_id, created_at);"
        "INSERT INTO app.scorecards SELECT g, 'globex', 'voice', 'x', false, 1, "
        "timestamptz '2026-01-01Z' + g * interval '1 minute', now() "
        "FROM generate_series(1000, 30000) g; ANALYZE app.scorecards"
    )
    columns = PostgresSource(world.url).columns(CARD, dataset())
    within = times.within("t.created_at", times.TimeType.ZONED, cards.interval)
    plan = world.execute(f"EXPLAIN {select_kept(cards, pairs_of(columns), within)}")
    assert any("by_tenant" in line for (line,) in plan)
    assert not any("Seq Scan" in line for (line,) in plan)


def day(year: int, month: int, number: int) -> Interval:
    start = datetime(year, month, number, tzinfo=UTC)
    return Interval(start, start + timedelta(days=1))
