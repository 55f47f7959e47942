"""Reading ahead: nothing is lost, errors come in their place, and it can be stopped."""

import threading
from collections.abc import Iterator

import pyarrow as pa
import pytest

from windlass.source.ahead import Ahead


def batch(number: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"n": [number]})


def numbers(ahead: Ahead) -> list[int]:
    return [one["n"][0].as_py() for one in ahead]


def test_all_batches_arrive_in_order() -> None:
    assert numbers(Ahead(iter([batch(n) for n in range(20)]))) == list(range(20))


def test_an_error_comes_after_the_batches_before_it() -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield batch(1)
        raise ValueError("cut")

    batches = iter(Ahead(broken()))
    assert next(batches)["n"][0].as_py() == 1
    with pytest.raises(ValueError, match="cut"):
        next(batches)


def test_no_more_than_its_depth_waits() -> None:
    pulled = threading.Semaphore(0)

    def endless() -> Iterator[pa.RecordBatch]:
        while True:
            pulled.release()
            yield batch(0)

    ahead = Ahead(endless(), depth=2)
    # Two wait in the queue, one in the thread's hand.
    assert all(pulled.acquire(timeout=5) for _ in range(3))
    assert not pulled.acquire(timeout=0.2)
    ahead.stop()


def test_stopping_ends_the_reader_wherever_it_waits() -> None:
    def endless() -> Iterator[pa.RecordBatch]:
        while True:
            yield batch(0)

    before = threading.active_count()
    ahead = Ahead(endless())
    assert next(iter(ahead)).num_rows == 1
    ahead.stop()
    assert threading.active_count() == before
