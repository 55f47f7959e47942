"""HTTP content codings both ways, and ClickHouse's own block coding (`compress`, `decompress`)."""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from windlass.localstack.front.errors import FrontError

# Small enough that a body of zeros cannot blow up by more than some hundred megabytes at once.
_FEED = 1 << 16
ENCODINGS = ("lz4", "zstd", "gzip", "deflate")


class Encoder(Protocol):
    """Turns pieces of a body into coded pieces."""

    def compress(self, data: bytes) -> bytes: ...

    def flush(self) -> bytes: ...


class _Decoder(Protocol):
    eof: bool
    unused_data: bytes

    def decompress(self, data: bytes) -> bytes: ...


class _Lz4Encoder:
    def __init__(self) -> None:
        import lz4.frame

        self._frame = lz4.frame.LZ4FrameCompressor()
        self._head: bytes = self._frame.begin()

    def compress(self, data: bytes) -> bytes:
        head, self._head = self._head, b""
        return head + bytes(self._frame.compress(data))

    def flush(self) -> bytes:
        return self.compress(b"") + bytes(self._frame.flush())


def encoder(name: str) -> Encoder:
    """An encoder for one of ENCODINGS."""
    if name == "lz4":
        return _Lz4Encoder()
    if name == "zstd":
        import zstandard

        return zstandard.ZstdCompressor(level=1).compressobj()
    return zlib.compressobj(1, zlib.DEFLATED, 31 if name == "gzip" else 15)


def pick_encoding(accept: str) -> str:
    """The best coding that a client's Accept-Encoding allows, or ''."""
    asked = [part.split(";")[0].strip().lower() for part in accept.split(",")]
    return next((name for name in asked if name in ENCODINGS), "")


def _decoders() -> dict[str, Callable[[], _Decoder]]:
    import lz4.frame
    import zstandard

    zstd = zstandard.ZstdDecompressor()
    return {
        "gzip": lambda: zlib.decompressobj(31),
        "deflate": lambda: zlib.decompressobj(15),
        "lz4": lz4.frame.LZ4FrameDecompressor,
        "zstd": zstd.decompressobj,
        "xz": lzma.LZMADecompressor,
        "bz2": bz2.BZ2Decompressor,
    }


def decoded(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Decode a body piece by piece. A coding that ends too early is an error, never an end."""
    if encoding in ("", "identity"):
        yield from pieces
        return
    make = _decoders().get(encoding)
    if make is None:
        raise FrontError(48, "NOT_IMPLEMENTED", f"Unknown content encoding {encoding!r}.")
    coder: _Decoder | None = None
    for piece in pieces:
        for at in range(0, len(piece), _FEED):
            feed = piece[at : at + _FEED]
            while feed:
                coder = make() if coder is None or coder.eof else coder
                yield _step(coder, feed, encoding)
                feed = coder.unused_data if coder.eof else b""
    if coder is not None and not coder.eof:
        raise FrontError(33, "CANNOT_READ_ALL_DATA", f"The {encoding} body ends too early.")


def _step(coder: _Decoder, feed: bytes, encoding: str) -> bytes:
    import zstandard

    broken = (zlib.error, lzma.LZMAError, OSError, EOFError, RuntimeError, zstandard.ZstdError)
    try:
        return coder.decompress(feed)
    except broken as error:
        message = f"Cannot decode the {encoding} body: {error}."
        raise FrontError(354, "ZLIB_INFLATE_FAILED", message) from error
