"""A ceiling for reading holds over all loads of a worker, and lets go when told to."""

from contextvars import copy_context
from dataclasses import dataclass

import pyarrow as pa
import pytest

from windlass.domain import blocks
from windlass.domain.errors import UnreachableError
from windlass.engine.activities.load import pieces
from windlass.engine.activities.pace import LOADING, Ceilings, Pace, Paces


@dataclass
class Wall:
    """A clock that only waiting moves."""

    at: float = 100.0

    def now(self) -> float:
        return self.at

    def pause(self, seconds: float) -> None:
        self.at += seconds


def paced(rate: int | None) -> tuple[Pace, Wall]:
    wall = Wall()
    return Pace(rate, wall.now, wall.pause), wall


def test_ten_batches_take_as_long_as_the_ceiling_says() -> None:
    pace, wall = paced(50_000)
    for _ in range(10):
        pace.read(25_000, lambda: None)
    assert wall.at == pytest.approx(105.0)


def test_idle_time_is_not_saved_up() -> None:
    pace, wall = paced(1_000)
    wall.pause(60)
    pace.read(1_000, lambda: None)
    assert wall.at == pytest.approx(161.0)


def test_without_a_ceiling_nothing_waits() -> None:
    pace, wall = paced(None)
    pace.read(10**9, lambda: None)
    assert wall.at == 100.0


def test_a_wait_ends_when_the_work_is_not_wanted_any_more() -> None:
    pace, wall = paced(1)

    def stop() -> None:
        raise RuntimeError("cancelled")

    with pytest.raises(RuntimeError):
        pace.read(3_600, stop)
    assert wall.at < 101


def test_a_batch_comes_in_pieces_that_a_second_allows() -> None:
    batch = pa.RecordBatch.from_pydict({"n": list(range(10))})
    assert [one["n"].to_pylist() for one in pieces(batch, 4)] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9],
    ]
    assert [one.num_rows for one in pieces(batch, 10)] == [10]
    assert [one.num_rows for one in pieces(batch, None)] == [10]


def test_the_lowest_ceiling_counts() -> None:
    paces = Paces(Pace(500))
    assert paces.per_second() == 500
    token = LOADING.set(Ceilings(lambda: {"campaign": 2_000, "tenant": 100}))
    try:
        assert paces.per_second() == 100
    finally:
        LOADING.reset(token)
    assert Paces(Pace(None)).per_second() is None


def test_blocks_become_smaller_while_a_load_runs() -> None:
    wall, told = Wall(), [1]

    def look() -> int:
        if not told:
            raise UnreachableError("no ledger")
        return told[-1]

    def sizes() -> tuple[int, int | None]:
        return blocks.smaller(1_000), blocks.rows(100, blocks.BYTES)

    def inside() -> None:
        blocks.follow(Ceilings(dict, wall.now, look).divisor)
        assert sizes() == (1_000, None)
        told.append(4)
        assert sizes() == (1_000, None), "asked once a second"
        wall.pause(1)
        assert sizes() == (250, 25)
        assert blocks.rows(10, blocks.BYTES // 4) is None, "it was read as small as that"
        told.clear()
        wall.pause(1)
        assert sizes() == (250, 25), "a ledger that does not answer changes nothing"

    copy_context().run(inside)
    assert sizes() == (1_000, None), "another load's are as large as ever"
