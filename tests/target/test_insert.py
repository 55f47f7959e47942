"""Loading staging: streamed, counted, stoppable, and never half believed."""

import threading
import time
from collections.abc import Iterator
from contextvars import copy_context

import pyarrow as pa
import pytest

from tests.target.bench import Bench
from windlass.domain import blocks
from windlass.domain.attempt import Staging
from windlass.domain.errors import CancelledError, StagingGoneError, UnrepresentableError
from windlass.target.errors import StatementKilledError

ROW = (1, "x", "2026-02-06", "2026-02-06")


def empty_staging(bench: Bench) -> Staging:
    """A staging table without rows."""
    bench.create()
    return bench.stage()


def test_every_row_is_pulsed_once(bench: Bench) -> None:
    staging, pulses = empty_staging(bench), list[int]()
    batches = [bench.batch([ROW] * n) for n in (3, 0, 4)]
    bench.target.insert(staging, iter(batches), pulses.append)
    assert sum(pulses) == 7
    assert bench.target.staged(staging, bench.pairs).rows == 7


def test_staging_again_starts_empty(bench: Bench) -> None:
    staging = empty_staging(bench)
    bench.target.insert(staging, [bench.batch([ROW])], lambda _rows: None)
    bench.target.stage(bench.live, staging)
    assert bench.target.staged(staging, bench.pairs).rows == 0


def test_a_pulse_that_raises_ends_the_statement_on_the_server(bench: Bench) -> None:
    staging, tag = empty_staging(bench), bench.target
    batch, seen = bench.batch([ROW] * 10_000), list[int]()

    def endless() -> Iterator[pa.RecordBatch]:
        while True:
            yield batch

    def pulse(rows: int) -> None:
        seen.append(rows)
        if sum(seen) > 50_000:
            raise CancelledError("the operator cancels")

    with pytest.raises(CancelledError, match="the operator cancels"):
        bench.target.insert(staging, endless(), pulse)
    assert tag.running(staging.attempt.tag) == 0


def test_a_block_of_a_failed_statement_is_no_longer_on_its_way(bench: Bench) -> None:
    staging, batch = empty_staging(bench), bench.batch([ROW] * 100_000)
    bench.target.sweep(staging.attempt)
    with pytest.raises(StagingGoneError) as held:
        bench.target.insert(staging, (batch for _ in range(1_000)), lambda _rows: None)
    before, began = slowest_block(bench), time.monotonic()
    while time.monotonic() < began + 1.5:
        time.sleep(0.1)
    assert slowest_block(bench) <= before + 0.5, "health would call it a slow insert for ever"
    assert held.value


def slowest_block(bench: Bench) -> float:
    """What health says of our inserts, in seconds."""
    found = {one.name: one.value for one in bench.target.health([])}
    return found.get("clickhouse_insert", 0.0)


def test_a_source_that_breaks_is_told_as_itself(bench: Bench) -> None:
    staging = empty_staging(bench)

    def breaking() -> Iterator[pa.RecordBatch]:
        yield bench.batch([ROW] * 1000)
        raise ConnectionError("the source is gone")

    with pytest.raises(ConnectionError, match="the source is gone"):
        bench.target.insert(staging, breaking(), lambda _rows: None)
    assert bench.target.running(staging.attempt.tag) == 0


def test_a_silent_source_is_pulsed_for_while_the_server_waits(bench: Bench) -> None:
    staging, beaten = empty_staging(bench), threading.Event()

    def slow() -> Iterator[pa.RecordBatch]:
        yield bench.batch([ROW])
        assert beaten.wait(30), "no beat while the source was silent"
        yield bench.batch([ROW])

    def pulse(rows: int) -> None:
        if rows == 0:
            beaten.set()

    bench.target.insert(staging, slow(), pulse)
    assert bench.target.staged(staging, bench.pairs).rows == 2


def test_a_table_dropped_meanwhile_is_the_fence(bench: Bench) -> None:
    staging = empty_staging(bench)
    bench.target.sweep(staging.attempt)
    with pytest.raises(StagingGoneError):
        bench.target.insert(staging, [bench.batch([ROW])], lambda _rows: None)


def test_null_never_becomes_a_default(bench: Bench) -> None:
    staging = empty_staging(bench)
    batch = bench.batch([ROW])
    batch = batch.set_column(1, "x", pa.array([None], pa.string()))
    with pytest.raises(UnrepresentableError):
        bench.target.insert(staging, [batch], lambda _rows: None)


def test_sweep_takes_this_attempts_tables_only(bench: Bench) -> None:
    first = empty_staging(bench)
    second = bench.stage(ROW)
    long = Staging(first.attempt, "t" * 180)
    bench.target.stage(bench.live, long)
    assert bench.target.sweep(first.attempt) == 2
    assert bench.target.sweep(first.attempt) == 0
    assert bench.target.staged(second, bench.pairs).rows == 1


def test_kill_means_exactly_that_attempt(bench: Bench) -> None:
    bench.create()
    tags = [f"windlass/{bench.database}/{subject}" for subject in ("w#1", "w#10", "v#1", "v#2")]
    ended: dict[str, BaseException] = {}

    def sleep(tag: str) -> None:
        try:
            bench.server.rows(
                "SELECT sleepEachRow(0.1) FROM numbers(300)",
                f"{tag}/x",
                settings={"max_block_size": "1", "function_sleep_max_microseconds_per_block": "0"},
            )
        except BaseException as error:
            ended[tag] = error

    threads = [threading.Thread(target=sleep, args=(tag,)) for tag in tags]
    for thread in threads:
        thread.start()
    while not all(bench.target.running(tag) for tag in tags):
        time.sleep(0.01)
    assert bench.target.kill(tags[0]) == 1
    assert bench.target.running(tags[0]) == 0
    assert bench.target.running(tags[1]) == 1
    assert bench.target.kill(*tags[2:], f"windlass/{bench.database}/nobody#1") == 2
    assert bench.target.running(tags[1]) == 1
    assert bench.target.kill(f"windlass/{bench.database}") == 1
    assert bench.target.kill() == 0
    for thread in threads:
        thread.join()
    assert set(ended) == set(tags)
    assert all(isinstance(error, StatementKilledError) for error in ended.values())


def test_smaller_blocks_become_more_parts_with_the_same_rows(bench: Bench) -> None:
    """What the server writes at once becomes smaller, too."""
    bench.create(partition="")
    batch = bench.batch([ROW] * 20_000)

    def parts(divisor: int) -> int:
        blocks.follow(lambda: divisor)
        staging = bench.stage_table()
        bench.target.insert(staging, [batch] * 10, lambda _rows: None)
        assert bench.target.staged_rows(staging) == 200_000
        name = bench.staging_ref(staging).rpartition(".")[2].strip("`")
        query = f"SELECT count() FROM system.parts WHERE table = '{name}' AND level = 0"
        return int(bench.rows(query)[0][0])

    assert copy_context().run(parts, 1) == 1
    assert copy_context().run(parts, 16) >= 3


def test_parts_are_counted_where_rows_are_inserted(bench: Bench) -> None:
    loading = empty_staging(bench)
    whole = Staging(loading.attempt, loading.table, "whole")
    for staging, parts in ((loading, 2), (whole, 7)):
        table = bench.staging_ref(staging)
        if staging is whole:
            bench.run(f"CREATE TABLE {table} AS {bench.staging_ref(loading)}")
        bench.run(f"SYSTEM STOP MERGES {table}")
        for _ in range(parts):
            bench.send(table, [ROW])
    told = {one.name: one for one in bench.target.health([])}["clickhouse_parts"]
    assert told.value < 7, "an assembly has as many parts attached as its group has windows"
    assert "_rows_" in told.where
