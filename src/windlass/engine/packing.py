"""Payloads that are large are packed: what a group of thousands of windows was loaded with passes
through Temporal, which takes no payload beyond 2 MB. Small ones stay readable in its UI."""

import zlib
from collections.abc import Sequence
from dataclasses import replace

from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter, PayloadCodec

LARGE = 64 * 1024
"""Bytes from which on a payload is packed."""
_ENCODING = b"binary/zlib"


class Packing(PayloadCodec):
    """Deflates payloads of LARGE bytes and more, and leaves the others as they are."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """As they travel."""
        return [_packed(one) if one.ByteSize() >= LARGE else one for one in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """As they were."""
        return [_unpacked(one) if _is_packed(one) else one for one in payloads]


CONVERTER = replace(DataConverter.default, payload_codec=Packing())
"""What every client of ours reads and writes with."""


def _is_packed(payload: Payload) -> bool:
    return payload.metadata.get("encoding") == _ENCODING


def _packed(payload: Payload) -> Payload:
    return Payload(
        metadata={"encoding": _ENCODING}, data=zlib.compress(payload.SerializeToString(), 1)
    )


def _unpacked(payload: Payload) -> Payload:
    return Payload.FromString(zlib.decompress(payload.data))
