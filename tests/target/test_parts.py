"""Live is taken for what was staged only while it is just that, and readers see all of it."""

from collections.abc import Callable, Sequence

import pytest

from tests.target.bench import Bench, span
from windlass.domain.attempt import Staging
from windlass.domain.states import Path

FEB = span("2026-02-01", "2026-03-01")
HALVES = (span("2026-02-01", "2026-02-15"), span("2026-02-15", "2026-03-01"))

Break = Callable[[Bench], object]


def _published(bench: Bench) -> tuple[Staging, ...]:
    """Two windows of a partition, and a row of January that is nobody's business."""
    bench.create()
    bench.run(f"SYSTEM STOP MERGES {bench.ref}")
    bench.put((9, "january", "2026-01-31", "2026-02-04"))
    first = bench.stage((1, "a", "2026-02-03", "2026-02-05"), (2, "b", "2026-02-04", "2026-02-04"))
    second = bench.stage((3, "c", "2026-02-20", "2026-02-20"))
    bench.publish(Path.SWAP, FEB, first, second)
    return first, second


def _told(bench: Bench, rows: Sequence[Staging]) -> list[int] | None:
    return bench.target.rows_as_staged(bench.live, bench.piece(FEB), HALVES, rows, bench.attempt())


def test_what_was_just_published_is_told_without_reading_it(bench: Bench) -> None:
    staged = _published(bench)
    bench.put((8, "january", "2026-01-30", "2026-02-04"))
    assert _told(bench, staged) == [2, 1]


@pytest.mark.parametrize(
    "happens",
    [
        lambda b: b.put((4, "late", "2026-02-21", "2026-02-21")),
        lambda b: b.put((1, "newer", "2026-02-03", "2026-02-06")),
        lambda b: b.put((1, "moved away", "2026-01-03", "2026-02-06")),
        lambda b: b.run(f"ALTER TABLE {b.ref} DELETE WHERE k = 3 SETTINGS mutations_sync = 2"),
        lambda b: b.run(
            f"ALTER TABLE {b.ref} UPDATE x = 'else' WHERE k = 3 SETTINGS mutations_sync = 2"
        ),
        lambda b: b.run(f"DELETE FROM {b.ref} WHERE k = 3"),
        lambda b: b.run(f"UPDATE {b.ref} SET x = 'else' WHERE k = 3"),
        lambda b: b.run(f"OPTIMIZE TABLE {b.ref} PARTITION ID '202602' FINAL"),
        lambda b: b.run(f"ALTER TABLE {b.ref} DROP PARTITION ID '202602'"),
    ],
    ids=[
        "a row comes", "a row is replaced", "a row is hidden from another partition", "a deletion",
        "a mutation", "a light deletion", "a patch", "a merge", "the partition goes",
    ],
)  # fmt: skip
def test_whatever_happens_to_live_is_noticed(bench: Bench, happens: Break) -> None:
    staged = _published(bench)
    bench.run(f"SYSTEM START MERGES {bench.ref}")
    happens(bench)
    assert _told(bench, staged) is None


def test_a_row_that_staging_holds_twice_is_not_two_rows(bench: Bench) -> None:
    bench.create()
    first = bench.stage((1, "a", "2026-02-03", "2026-02-05"))
    again = bench.stage((1, "b", "2026-02-20", "2026-02-06"))
    bench.publish(Path.SWAP, FEB, first, again)
    assert _told(bench, (first, again)) is None


def test_a_window_too_few_or_too_many_is_noticed(bench: Bench) -> None:
    first, second = _published(bench)
    assert _told(bench, (first,)) is None
    more = bench.stage((5, "e", "2026-02-22", "2026-02-22"))
    assert _told(bench, (first, second, more)) is None
    assert _told(bench, ()) is None
