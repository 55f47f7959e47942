"""Snapshots, cancellation, killing, and streams that break."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from windlass.domain.attempt import Attempt
from windlass.domain.dataset import Slice
from windlass.domain.errors import (
    SnapshotLostError,
    TransientError,
    UnreachableError,
    WindlassError,
)
from windlass.source.kill import wait_until
from windlass.source.postgres import PostgresSource

from .proxy import Proxy
from .world import CARD, Db, ids, pairs_for, read

pytestmark = pytest.mark.usefixtures("world")

MANY = 400_000


def listed(db: Db, attempt: Attempt) -> int:
    name = attempt.application_name
    found = db.execute(f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}'")
    return int(found[0][0])


def fill(db: Db) -> None:
    db.execute(
        "INSERT INTO app.scorecards SELECT g, 'acme', 'voice', repeat('x', 100), false, 1, "
        f"'2026-01-10Z', '2026-01-10Z' FROM generate_series(1000, {MANY + 999}) g"
    )


def test_two_readers_share_one_snapshot(
    world: Db, source: PostgresSource, cards: Slice, scores: Slice, attempt: Attempt
) -> None:
    with source.hold(attempt) as held:
        world.execute(
            "UPDATE app.scorecards SET created_at = '2026-02-20Z' WHERE scorecard_id = 1;"
            "DELETE FROM app.scores WHERE scorecard_id = 5"
        )
        snapshot = held.snapshot.id
        assert held.alive()
        assert ids(read(source, cards, attempt, snapshot), "scorecard_id") == [1, 5]
        assert len(read(source, scores, attempt, snapshot)) == 6
        assert source.count(scores, (), attempt, snapshot).kept == 6
        assert source.digest(cards, pairs_for(source, cards), attempt, snapshot)[0].rows == 2
    assert ids(read(source, cards, attempt), "scorecard_id") == [5]
    assert listed(world, attempt) == 0


def test_a_row_that_moves_between_windows_is_seen_once(
    world: Db, source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    first, second = list(cards.interval.split([datetime(2026, 1, 15, tzinfo=UTC)]))
    with source.hold(attempt) as held:
        early = read(source, replace(cards, interval=first), attempt, held.snapshot.id)
        world.execute("UPDATE app.scorecards SET created_at = '2026-01-20Z' WHERE scorecard_id = 1")
        late = read(source, replace(cards, interval=second), attempt, held.snapshot.id)
    assert ids(early, "scorecard_id") + ids(late, "scorecard_id") == [1, 5]


@pytest.mark.parametrize("snapshot", ["00000003-0000001B-1", "nonsense"])
def test_a_lost_snapshot_is_told(
    world: Db, source: PostgresSource, cards: Slice, attempt: Attempt, snapshot: str
) -> None:
    pairs = pairs_for(source, cards)
    with pytest.raises(SnapshotLostError):
        source.count(cards, pairs, attempt, snapshot)
    with pytest.raises(SnapshotLostError), source.read(cards, pairs, attempt, snapshot):
        pass
    assert wait_until(lambda: listed(world, attempt) == 0, 5)


def test_a_killed_holder_is_not_alive(
    world: Db, source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    with source.hold(attempt) as held:
        assert source.kill(attempt) == 1
        assert not held.alive()
        with pytest.raises(SnapshotLostError):
            source.count(cards, (), attempt, held.snapshot.id)


def test_the_horizon_is_the_oldest_open_transaction(
    world: Db, source: PostgresSource, attempt: Attempt
) -> None:
    with world.connect() as other:
        began = other.execute("SELECT now()").fetchone()
        assert began is not None
        with source.hold(attempt) as held:
            assert began[0] - timedelta(seconds=10) < held.snapshot.horizon <= began[0]
    with source.hold(attempt) as held:
        assert began[0] < held.snapshot.taken_at
        assert held.snapshot.taken_at - held.snapshot.horizon < timedelta(seconds=10)


def test_hidden_transactions_move_the_horizon_back_an_hour(
    world: Db, cards: Slice, attempt: Attempt
) -> None:
    blind = PostgresSource(world.reader())
    with world.connect() as other:
        other.execute("SELECT 1")
        with blind.hold(attempt) as held:
            back = held.snapshot.taken_at - held.snapshot.horizon
            assert timedelta(minutes=59) < back < timedelta(minutes=61)


def test_leaving_early_ends_the_query_on_the_server(
    world: Db, source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    fill(world)
    with source.read(cards, pairs_for(source, cards), attempt, None) as batches:
        assert next(batches).num_rows < MANY
        assert source.running(attempt) == 1
    assert listed(world, attempt) == 0


def test_what_a_copy_has_sent_last_counts_as_on_its_way(
    world: Db, source: PostgresSource, attempt: Attempt
) -> None:
    """Over a slow link its rows still arrive when the server is done with them."""
    with world.connect() as session:
        session.execute(f"SET application_name = '{attempt.application_name}'")
        assert source.running(attempt) == 0
        with session.cursor().copy("COPY (SELECT 1) TO STDOUT") as copy:
            assert list(copy)
        assert source.running(attempt) == 1
        session.execute("SELECT 1")
        assert source.running(attempt) == 0


def broken(batch: pa.RecordBatch) -> None:
    raise KeyError(batch.num_rows)


def test_an_error_of_the_consumer_comes_through(
    world: Db, source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    fill(world)
    pairs = pairs_for(source, cards)
    with (
        pytest.raises(KeyError),
        source.read(cards, pairs, attempt, None) as batches,
    ):
        broken(next(batches))
    assert listed(world, attempt) == 0


def test_kill_ends_a_copy_whose_reader_waits(
    world: Db, source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    fill(world)
    pairs = pairs_for(source, cards)
    with source.read(cards, pairs, attempt, None) as batches:
        next(batches)
        assert source.kill(attempt) == 1
        assert listed(world, attempt) == 0
        with pytest.raises(WindlassError):
            list(batches)


def test_kill_frees_readers_that_are_blocked(
    world: Db, source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    pairs = pairs_for(source, cards)
    with world.connect() as other, ThreadPoolExecutor(2) as pool:
        other.execute("LOCK TABLE app.scorecards IN ACCESS EXCLUSIVE MODE")
        counting = pool.submit(source.count, cards, pairs, attempt, None)
        reading = pool.submit(read_with, source, cards, pairs, attempt)
        assert wait_until(lambda: source.running(attempt) == 2, 10)
        assert source.kill(attempt) == 2
        for blocked in (counting, reading):
            assert isinstance(blocked.exception(10), TransientError | UnreachableError)
    assert source.kill(attempt) == 0


def read_with(source: PostgresSource, piece: Slice, pairs: object, attempt: Attempt) -> int:
    with source.read(piece, pairs, attempt, None) as batches:  # type: ignore[arg-type]
        return sum(batch.num_rows for batch in batches)


def test_many_attempts_are_killed_at_once_and_no_others(
    source: PostgresSource, attempt: Attempt
) -> None:
    second, third = replace(attempt, number=2), replace(attempt, number=3)
    with source.hold(attempt), source.hold(second), source.hold(third) as held:
        assert source.kill(attempt, second) == 2
        assert held.alive()
    assert source.kill() == 0


def test_kill_leaves_other_attempts_alone(
    source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    other = replace(attempt, number=2)
    with source.hold(other) as held:
        assert source.kill(attempt) == 0
        assert held.alive()


@pytest.mark.parametrize("polite", [True, False], ids=["half-close", "reset"])
@pytest.mark.parametrize("after", [200_000, 5_000_000])
def test_a_stream_cut_short_is_an_error(
    world: Db, cards: Slice, attempt: Attempt, after: int, polite: bool
) -> None:
    fill(world)
    pairs = pairs_for(PostgresSource(world.url), cards)
    with Proxy(world.url, after, polite=polite) as proxy:
        through = PostgresSource(proxy.url)
        with pytest.raises(UnreachableError):
            read_with(through, cards, pairs, attempt)
        assert proxy.cut.is_set()
    PostgresSource(world.url).kill(attempt)


def test_a_stream_cut_exactly_at_a_message_is_an_error(
    world: Db, cards: Slice, attempt: Attempt
) -> None:
    """Every length up to that of the whole conversation: no cut may look like an end."""
    pairs = pairs_for(PostgresSource(world.url), cards)
    with Proxy(world.url, None) as proxy:
        assert read_with(PostgresSource(proxy.url), cards, pairs, attempt) == 2
        whole = proxy.longest
    for after in range(whole - 300, whole - 1, 13):
        with Proxy(world.url, after, polite=True) as proxy, pytest.raises(UnreachableError):
            read_with(PostgresSource(proxy.url), cards, pairs, attempt)


def test_a_lock_timeout_is_worth_another_try(world: Db, cards: Slice, attempt: Attempt) -> None:
    hasty = PostgresSource(world.url, lock_timeout=50)
    with world.connect() as other:
        other.execute("LOCK TABLE app.scorecards IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(TransientError):
            hasty.count(cards, (), attempt, None)


def test_the_driver_is_safe_between_threads(
    source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    pairs = pairs_for(source, cards)
    start = threading.Barrier(4)

    def one(_: int) -> int:
        start.wait()
        return read_with(source, cards, pairs, attempt)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(4))) == [2, 2, 2, 2]


def test_open_writers_are_named_and_bound_what_is_exact(
    world: Db, source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    """A reader and a writer elsewhere do not count; a partition and a view's table do."""
    world.execute(
        "CREATE TABLE app.aside (n int); CREATE VIEW app.seen AS SELECT * FROM app.scorecards"
    )
    table = replace(CARD, relation="app.seen")
    through_a_view = replace(cards.dataset, tables=(table,))
    with world.connect() as reading, world.connect() as elsewhere, world.connect() as writing:
        reading.execute("SELECT * FROM app.scorecards FOR UPDATE")
        elsewhere.execute("INSERT INTO app.aside VALUES (1)")
        with source.hold(attempt, cards.dataset) as held:
            assert held.snapshot.writers == ()
            assert held.snapshot.exact_as_of is not None
            assert held.snapshot.exact_as_of > datetime.now(UTC) - timedelta(seconds=10)
        reading.rollback()
        began = writing.execute("SELECT now()").fetchone()
        writing.execute("UPDATE app.scorecards SET points = 9 WHERE scorecard_id = 1")
        assert began is not None
        for dataset in (cards.dataset, through_a_view):
            with source.hold(attempt, dataset) as held:
                assert [writer.since for writer in held.snapshot.writers] == [began[0]]
                assert held.snapshot.exact_as_of == began[0]
        writing.commit()
        with source.hold(attempt, cards.dataset) as held:
            assert held.snapshot.writers == ()


def test_a_writer_to_a_partition_writes_to_the_table(
    world: Db, source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    world.execute(
        "CREATE TABLE app.parted (LIKE app.scorecards) PARTITION BY LIST (customer_id);"
        "CREATE TABLE app.parted_acme PARTITION OF app.parted FOR VALUES IN ('acme')"
    )
    parted = replace(cards.dataset, tables=(replace(CARD, relation="app.parted"),))
    with world.connect() as writing:
        writing.execute("INSERT INTO app.parted_acme SELECT * FROM app.scorecards LIMIT 0")
        with source.hold(attempt, parted) as held:
            assert len(held.snapshot.writers) == 1
    blind = PostgresSource(world.reader("GRANT USAGE ON SCHEMA app TO {role}"))
    with world.connect() as writing:
        writing.execute("INSERT INTO app.parted SELECT * FROM app.scorecards LIMIT 0")
        with blind.hold(attempt, parted) as held:
            assert [writer.since for writer in held.snapshot.writers] == [None]
            assert held.snapshot.exact_as_of == held.snapshot.horizon
