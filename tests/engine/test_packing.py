"""Large payloads are packed on their way through Temporal; what is small stays readable."""

import pytest
from temporalio.api.common.v1 import Payload

from windlass.engine.packing import LARGE, Packing


def payload(size: int) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=b"7" * size)


@pytest.mark.parametrize("size", [0, 10, LARGE - 100, LARGE, 40 * LARGE])
async def test_a_payload_comes_back_as_it_was(size: int) -> None:
    (packed,) = await Packing().encode([payload(size)])
    assert await Packing().decode([packed]) == [payload(size)]


async def test_only_what_is_large_is_packed() -> None:
    small, large = await Packing().encode([payload(1_000), payload(2_500_000)])
    assert small == payload(1_000)
    assert large.ByteSize() < LARGE


async def test_payloads_of_others_are_left_alone() -> None:
    """Encrypted ones, say, by a proxy."""
    others = Payload(metadata={"encoding": b"binary/encrypted"}, data=b"?")
    assert await Packing().decode([others]) == [others]
