"""Two attempts at one group: the later one ends the earlier one, never the other way round."""

import threading
from dataclasses import replace

import pytest

from tests.target.bench import Bench, span
from windlass.domain.attempt import Attempt
from windlass.domain.errors import StagingGoneError, WindlassError
from windlass.domain.states import Path
from windlass.target.errors import StatementKilledError
from windlass.target.kill import marker

WINDOW = span("2026-02-05", "2026-02-10")


def busy(bench: Bench, attempt: Attempt) -> tuple[threading.Thread, list[WindlassError]]:
    """A statement of that attempt that does not end by itself, once the server lists it."""
    ended: list[WindlassError] = []
    settings = {"max_block_size": "1", "function_sleep_max_microseconds_per_block": "0"}

    def sleep() -> None:
        try:
            sql = "SELECT sleepEachRow(0.1) FROM numbers(600)"
            bench.server.rows(sql, f"{attempt.tag}/x", settings=settings)
        except WindlassError as error:
            ended.append(error)

    thread = threading.Thread(target=sleep)
    thread.start()
    while not bench.target.running(attempt.tag):
        assert thread.is_alive()
    return thread, ended


def test_a_later_attempt_ends_an_earlier_one(bench: Bench) -> None:
    bench.create()
    staged = bench.stage((1, "new", "2026-02-06", "2026-02-06"))
    later = replace(bench.attempt(), number=10)
    thread, ended = busy(bench, replace(later, number=1))
    bench.publish(Path.IN_PLACE, WINDOW, staged, attempt=later)
    thread.join()
    assert isinstance(ended[0], StatementKilledError)
    assert bench.seen() == [(1, "new")]


def test_an_earlier_attempt_that_wakes_up_late_does_nothing(bench: Bench) -> None:
    bench.create()
    staged = bench.stage((1, "new", "2026-02-06", "2026-02-06"))
    earlier = replace(bench.attempt(), number=1)
    later = replace(earlier, number=10)
    thread, _ = busy(bench, later)
    with pytest.raises(StagingGoneError, match="overtaken"):
        bench.publish(Path.IN_PLACE, WINDOW, staged, attempt=earlier)
    assert bench.seen() == []
    assert bench.target.kill(later.tag) == 1
    thread.join()


def test_an_earlier_attempts_mutation_is_taken_back(bench: Bench) -> None:
    bench.create(settings="")
    bench.put((1, "right", "2026-02-06", "2026-02-06"))
    later = replace(bench.attempt(), number=2)
    mark = marker(replace(later, number=1).tag)
    zombie = f"ALTER TABLE {bench.ref} DELETE WHERE '{mark}' != '' AND NOT throwIf(1)"
    bench.server.run(zombie, "windlass/test", {"mutations_sync": "0"})
    staged = bench.stage((1, "right", "2026-02-06", "2026-02-06"))
    bench.publish(Path.IN_PLACE, WINDOW, staged, attempt=later)
    unfinished = f"database = '{bench.database}' AND NOT is_done"
    pending = f"SELECT count() FROM system.mutations WHERE {unfinished}"
    assert bench.rows(pending) == [(0,)]
    assert bench.seen() == [(1, "right")]
