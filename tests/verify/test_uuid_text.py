"""Servers that cannot read sixteen bytes are sent text that says the same."""

import io
import uuid
from collections.abc import Iterator

import pyarrow as pa
import pytest

from windlass.target.arrowstream import ArrowBody
from windlass.target.uuidtext import with_text_uuids
from windlass.target.watch import Moved

IDS = [uuid.UUID(int=0), None, uuid.UUID("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"), uuid.uuid4()]


def _batch() -> pa.RecordBatch:
    column = pa.array([one and one.bytes for one in IDS], pa.binary(16))
    return pa.RecordBatch.from_arrays([column, pa.array([1, 2, 3, 4])], names=["id", "n"])


def _texts(ids: list[uuid.UUID | None]) -> list[str | None]:
    return [None if one is None else str(one) for one in ids]


def test_texts_are_the_uuids() -> None:
    found = with_text_uuids(_batch())
    found.validate(full=True)
    assert found["id"].to_pylist() == _texts(IDS)
    assert found["n"].to_pylist() == [1, 2, 3, 4]


def test_a_slice_keeps_its_own_rows() -> None:
    found = with_text_uuids(_batch().slice(1, 2))
    found.validate(full=True)
    assert found["id"].to_pylist() == _texts(IDS[1:3])
    assert with_text_uuids(_batch().slice(0, 0)).num_rows == 0


@pytest.mark.parametrize(
    ("release", "kind"), [((25, 8), pa.string()), ((26, 4), pa.string()), ((26, 5), pa.binary(16))]
)
def test_the_stream_fits_the_release(release: tuple[int, int], kind: pa.DataType) -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        yield from [_batch(), _batch()]

    body = ArrowBody(batches(), Moved(), release)
    assert body.begin() == ["id", "n"]
    sent = pa.ipc.open_stream(io.BytesIO(b"".join(body.stream()))).read_all()
    assert sent.schema.field("id").type == kind
    assert sent.num_rows == 2 * len(IDS)
