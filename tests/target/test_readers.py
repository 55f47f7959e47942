"""What a reader sees while a publish runs, asked as fast as it can ask."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.target.bench import Bench, span
from windlass.domain.states import Path

FEB = span("2026-02-01", "2026-03-01")
ROUNDS = 8


@contextmanager
def reader(bench: Bench) -> Iterator[set[tuple[int, int]]]:
    """(rows, sum of x's length) as seen with FINAL, gathered until the block ends."""
    seen: set[tuple[int, int]] = set()
    stop, started = threading.Event(), threading.Event()
    look = f"SELECT count(), sum(length(x)) FROM {bench.ref} {bench.live.final}"

    def read() -> None:
        while not stop.is_set():
            rows, length = bench.rows(look)[0]
            seen.add((int(rows), int(length)))
            started.set()

    thread = threading.Thread(target=read)
    thread.start()
    started.wait()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def rows(count: int, text: str, day: int) -> list[tuple[int, str, str, str]]:
    """`count` keys of one partition."""
    return [(k, text, f"2026-02-{1 + k % 20:02}", f"2026-03-{day:02}") for k in range(count)]


def test_a_swap_shows_old_or_new(bench: Bench) -> None:
    bench.create()
    old, new = bench.stage(*rows(4000, "old", 1)), bench.stage(*rows(3000, "newer", 1))
    bench.publish(Path.SWAP, FEB, old)
    with reader(bench) as seen:
        for _ in range(ROUNDS):
            bench.publish(Path.SWAP, FEB, new)
            bench.publish(Path.SWAP, FEB, old)
    assert seen == {(4000, 12000), (3000, 15000)}


def test_stale_rows_vanish_at_once_by_patch_delete(bench: Bench) -> None:
    bench.create()
    few, many = bench.stage(*rows(1000, "x", 1)), bench.stage(*rows(4000, "x", 1))
    with reader(bench) as seen:
        for _ in range(ROUNDS):
            bench.publish(Path.IN_PLACE, FEB, many)
            bench.publish(Path.IN_PLACE, FEB, few)
    assert seen <= {(0, 0), (4000, 4000), (1000, 1000)}
    assert len(seen) >= 2


def test_new_versions_replace_old_ones_without_gap_or_doubles(bench: Bench) -> None:
    bench.create()
    versions = [bench.stage(*rows(3000, "x" * day, day)) for day in range(1, ROUNDS)]
    bench.publish(Path.IN_PLACE, FEB, versions[0])
    with reader(bench) as seen:
        for staged in versions[1:]:
            bench.publish(Path.IN_PLACE, FEB, staged)
    assert {count for count, _ in seen} == {3000}
    assert {length % 3000 for _, length in seen} == {0}


def test_without_patches_no_old_version_rises(bench: Bench) -> None:
    """Lightweight deletes: sums in between may be seen, but never a version that was superseded."""
    bench.create(settings="")
    for day in (1, 2):
        bench.put(*[(k, "long superseded", "2026-02-06", f"2026-01-0{day}") for k in range(500)])
    bench.put(*[(k, "now", "2026-02-06", "2026-01-05") for k in range(500)])
    empty = bench.stage()
    with reader(bench) as seen:
        bench.publish(Path.IN_PLACE, FEB, empty)
    assert bench.seen() == []
    assert all(length == 3 * count for count, length in seen)
