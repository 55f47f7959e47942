"""UUIDs as text, for servers that do not read sixteen bytes of Arrow into a UUID."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

READS_BYTES = (26, 5)
"""The first release whose Arrow input reads sixteen bytes into UUID as they are written. 25.8
refuses them; 26.1 and 26.3 put them in another order without a word."""

_GROUPS = ((0, 8), (9, 13), (14, 18), (19, 23), (24, 36))


def with_text_uuids(batch: "pa.RecordBatch") -> "pa.RecordBatch":
    """The batch with columns of sixteen bytes (nothing but uuid is read as such) as text."""
    import pyarrow as pa

    columns = [
        _texts(column) if column.type == pa.binary(16) else column for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _texts(column: "pa.FixedSizeBinaryArray") -> "pa.StringArray":
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = len(column)
    data = np.frombuffer(column.buffers()[1], np.uint8)[column.offset * 16 :][: rows * 16]
    digits = np.frombuffer(b"".join(b"%02x" % byte for byte in range(256)), np.uint8)
    hexed = digits.reshape(256, 2)[data].reshape(rows, 32)
    texts = np.full((rows, 36), ord("-"), np.uint8)
    at = 0
    for start, end in _GROUPS:
        texts[:, start:end] = hexed[:, at : at + end - start]
        at += end - start
    offsets = np.arange(0, 36 * (rows + 1), 36, dtype=np.int32)
    valid = pc.is_valid(column).buffers()[1]
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(texts), valid)
