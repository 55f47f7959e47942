"""ClickHouse's own block coding of bodies: `decompress=1` coming in, `compress=1` going out.

A block is a checksum (16 bytes, CityHash128 of the rest), a method byte, the coded size including
these nine bytes, the plain size, and the data.
"""

import struct
from collections.abc import Iterable, Iterator

from windlass.localstack.front.cityhash import cityhash128
from windlass.localstack.front.errors import FrontError

_LZ4, _ZSTD, _NONE = 0x82, 0x90, 0x02
_HEAD = struct.Struct("<BII")
_CHECKSUM = 16
_BLOCK = 1 << 20
_LARGEST = 1 << 30


class BlockEncoder:
    """Codes a body in LZ4 blocks of up to 1 MiB."""

    def __init__(self) -> None:
        self._held = bytearray()

    def compress(self, data: bytes) -> bytes:
        self._held += data
        blocks = []
        while len(self._held) >= _BLOCK:
            blocks.append(_encode(bytes(self._held[:_BLOCK])))
            del self._held[:_BLOCK]
        return b"".join(blocks)

    def flush(self) -> bytes:
        rest, self._held = bytes(self._held), bytearray()
        return _encode(rest) if rest else b""


def _encode(data: bytes) -> bytes:
    import lz4.block

    coded: bytes = lz4.block.compress(data, store_size=False)
    block = _HEAD.pack(_LZ4, len(coded) + _HEAD.size, len(data)) + coded
    return cityhash128(block) + block


def decode_blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Decode a body of blocks. A body that ends inside a block is an error (33).

    Checksums are not verified: the body comes over the loopback, and hashing in Python is slow.
    """
    held = bytearray()
    for piece in pieces:
        held += piece
        while (size := _whole_block(held)) is not None:
            yield _decode(bytes(held[_CHECKSUM:size]))
            del held[:size]
    if held:
        raise FrontError(33, "CANNOT_READ_ALL_DATA", "The compressed body ends inside a block.")


def _whole_block(held: bytearray) -> int | None:
    """Bytes of the first block with its checksum, when it is whole."""
    if len(held) < _CHECKSUM + _HEAD.size:
        return None
    _, size, plain = _HEAD.unpack_from(held, _CHECKSUM)
    if size < _HEAD.size or max(size, plain) > _LARGEST:
        raise FrontError(271, "CANNOT_DECOMPRESS", "Not a compressed block, or too large a one.")
    return _CHECKSUM + size if len(held) >= _CHECKSUM + size else None


def _decode(block: bytes) -> bytes:
    import lz4.block
    import zstandard

    method, _, plain = _HEAD.unpack_from(block)
    data = block[_HEAD.size :]
    try:
        if method == _LZ4:
            return bytes(lz4.block.decompress(data, uncompressed_size=plain))
        if method == _ZSTD:
            return zstandard.ZstdDecompressor().decompress(data, max_output_size=plain)
    except (lz4.block.LZ4BlockError, zstandard.ZstdError) as error:
        message = f"Cannot decompress a block: {error}."
        raise FrontError(271, "CANNOT_DECOMPRESS", message) from error
    if method == _NONE:
        return data
    raise FrontError(89, "UNKNOWN_COMPRESSION_METHOD", f"Unknown compression method {method:#x}.")
