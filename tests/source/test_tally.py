"""Counting for a plan: one pass says what many counts would, and an estimate what it is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Thread

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from windlass.domain.attempt import Attempt
from windlass.domain.dataset import Dataset, Exclusion, Slice, TableSpec, TenantColumns
from windlass.domain.errors import WindlassError
from windlass.domain.results import Evidence, Tally
from windlass.domain.window import Interval
from windlass.source.estimate import estimated
from windlass.source.postgres import PostgresSource
from windlass.source.times import TimeType

from .world import NOTE, TENANT, Db, dataset

pytestmark = pytest.mark.usefixtures("world")

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
MANY = TableSpec(
    name="many",
    relation="app.many",
    time="at",
    key=("id",),
    version="v",
    tenant=TenantColumns("c"),
    exclusions=(Exclusion("appeal_requests", "t.x = 'appeal_request'"),),
)


def tallies(
    source: PostgresSource,
    attempt: Attempt,
    *slices: Slice,
    step: timedelta = DAY,
    marks: tuple[Interval, ...] = (),
    seconds: float = 60,
) -> list[Tally]:
    """One pass over these slices."""
    with source.counting(attempt) as counting:
        return counting.tallies(slices, step, marks, seconds)


def test_steps_are_aligned_to_the_start_and_hold_kept_rows(
    source: PostgresSource, data: Dataset, january: Interval, attempt: Attempt
) -> None:
    slices = [Slice(data, table, TENANT, january) for table in data.tables]
    found = tallies(source, attempt, *slices, step=20 * DAY)
    later = january.start + 20 * DAY
    assert [one.steps for one in found] == [
        {january.start: 1, later: 1},
        {january.start: 3, later: 3},
        {january.start: 2, later: 3},
    ]
    assert [one.count for one in found] == [
        source.count(piece, (), attempt, None) for piece in slices
    ]
    assert {one.evidence for one in found} == {Evidence.COUNTED}


def test_rows_without_time_are_counted(
    source: PostgresSource, cards: Slice, scores: Slice, attempt: Attempt
) -> None:
    notes = Slice(cards.dataset, NOTE, TENANT, cards.interval)
    found = tallies(source, attempt, cards, scores, notes)
    assert [one.null_time for one in found] == [1, 3, 3]


def many(world: Db, rows: int, kind: str = "timestamptz", version: str = "int") -> Slice:
    """January of acme, in a table of that many rows spread over it by a rule of its own."""
    world.execute(
        f"CREATE TABLE app.many (id int PRIMARY KEY, c text, at {kind}, v {version}, x text);"
        "SET TimeZone = 'UTC'; INSERT INTO app.many "
        "SELECT n, CASE WHEN n % 7 = 0 THEN 'globex' ELSE 'acme' END, "
        "'2026-01-01'::timestamp + n::bigint * n % 2678400 * interval '1 s', "
        f"nullif(n * 37 % 1000, 5)::{version}, CASE WHEN n % 5 = 0 THEN 'appeal_request' END "
        f"FROM generate_series(1, {rows}) n; ANALYZE app.many"
    )
    return Slice(dataset(MANY), MANY, TENANT, Interval(START, START + 31 * DAY))


MARKS = st.lists(
    st.tuples(st.integers(0, 2_678_399), st.integers(1, 2_678_400), st.sampled_from([1, 60, 3600])),
    max_size=6,
)


@pytest.mark.parametrize(
    ("kind", "version"), [("timestamptz", "int"), ("timestamp(0)", "text"), ("date", "int")]
)
def test_marks_are_counted_as_if_each_were_counted_alone(
    world: Db, attempt: Attempt, kind: str, version: str
) -> None:
    """Whatever their edges, overlapping or not; `max` of a version by its own type's order."""
    piece, source = many(world, 1500, kind, version), PostgresSource(world.url)

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(MARKS, st.sampled_from([timedelta(minutes=7), timedelta(hours=1), DAY, 9 * DAY]))
    def same(drawn: list[tuple[int, int, int]], step: timedelta) -> None:
        marks = tuple(
            Interval(START + timedelta(seconds=a), START + timedelta(seconds=min(a + b, 2_678_400)))
            for first, length, unit in drawn
            for a, b in [(first // unit * unit, length // unit * unit or unit)]
        )
        (found,) = tallies(source, attempt, piece, step=step, marks=marks)
        alone = [source.count(replace(piece, interval=mark), (), attempt, None) for mark in marks]
        assert list(found.marks) == alone
        assert found.count == source.count(piece, (), attempt, None)
        assert sum(found.steps.values()) == found.count.kept

    same()


def test_what_takes_too_long_is_estimated_and_says_so(world: Db, attempt: Attempt) -> None:
    piece, source = many(world, 1000), PostgresSource(world.url)
    slow = replace(MANY, exclusions=(Exclusion("never", "pg_sleep(0.001) IS NULL"),))
    crawling = replace(piece, table=slow, dataset=dataset(slow))
    found, after = tallies(source, attempt, crawling, piece, seconds=0.2)
    assert (found.evidence, after.evidence) == (Evidence.STATISTICS, Evidence.COUNTED)
    exact = after.count.kept + sum(after.count.excluded.values())
    assert exact * 0.8 < found.count.kept < exact * 1.2
    assert found.count.kept == sum(found.steps.values())
    assert "statistics" in found.note


def test_a_sample_of_pages_stands_for_the_table(world: Db) -> None:
    piece = many(world, 60_000)
    with psycopg.connect(world.url, autocommit=True) as connection:
        connection.execute("BEGIN")
        found = estimated(connection, piece, TimeType.ZONED, DAY, 60, pages=100)
    exact = PostgresSource(world.url).count(piece, (), Attempt("", "plan/x", 1), None)
    assert found.evidence is Evidence.SAMPLED
    assert exact.kept * 0.7 < found.count.kept < exact.kept * 1.3
    assert exact.excluded["appeal_requests"] * 0.6 < found.count.excluded["appeal_requests"]
    assert len(found.steps) == 31
    assert "of its pages" in found.note


def test_what_nobody_counted_may_be_there(world: Db) -> None:
    """An estimate never makes a tenant look empty: it would be left out."""
    piece = many(world, 10)
    nobody = replace(piece, tenant=replace(TENANT, customer="umbrella"))
    with psycopg.connect(world.url, autocommit=True) as connection:
        connection.execute("BEGIN")
        found = estimated(connection, nobody, TimeType.ZONED, DAY, 60)
    assert found.count.kept >= 1


def test_a_count_that_someone_else_ends_is_no_estimate(world: Db, attempt: Attempt) -> None:
    piece, source = many(world, 2000), PostgresSource(world.url)
    slow = replace(MANY, exclusions=(Exclusion("never", "pg_sleep(0.01) IS NULL"),))
    crawling = replace(piece, table=slow, dataset=dataset(slow))

    def end() -> None:
        while not source.running(attempt):
            pass
        source.kill(attempt)

    ending = Thread(target=end)
    ending.start()
    with pytest.raises(WindlassError):
        tallies(source, attempt, crawling)
    ending.join()
