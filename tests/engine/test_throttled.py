"""What a cluster's health allows, on a real Temporal over scripted deeds."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.client import Client

from tests.engine.script import GROUPS, scripted
from tests.engine.test_control import NORMAL, W1, W2, ordered, published, running, told, until
from windlass.domain.errors import UnreachableError
from windlass.engine.packing import CONVERTER
from windlass.engine.payloads import CampaignOrders, CutOrder

NOTHING = CampaignOrders(0, 1, 1)


@pytest_asyncio.fixture(loop_scope="function")
async def client(temporal_address: str) -> AsyncIterator[Client]:
    yield await Client.connect(temporal_address, data_converter=CONVERTER)


@pytest.mark.asyncio(loop_scope="function")
async def test_nothing_begins_until_the_servers_are_well_again(client: Client) -> None:
    script = scripted(client, orders=NOTHING)
    async with running(client, script) as handle:
        await until(lambda: "open acme_voice" in script.told)
        await ordered(handle, script, NOTHING)
        await until(lambda: script.heard == 1)
        assert script.snapshots == {}, "no snapshot waits at the source either"
        await ordered(handle, script, NORMAL)
    assert sorted(published(script)) == sorted(group.id for group in GROUPS)


@pytest.mark.asyncio(loop_scope="function")
async def test_what_is_in_flight_ends_and_the_rest_waits(client: Client) -> None:
    script = scripted(client, block={W1, W2})
    async with running(client, script) as handle:
        await until(lambda: script.loading["acme_voice"] == 2)
        await ordered(handle, script, NOTHING)
        await told(client, "acme_voice")
        script.block.clear()
        await until(lambda: f"settle {GROUPS[0].id}" in script.told)
        assert published(script) == [GROUPS[0].id]
        await ordered(handle, script, NORMAL)
    assert len(published(script)) == len(GROUPS)


@pytest.mark.asyncio(loop_scope="function")
async def test_a_cut_is_not_lost_where_what_hung_fails_instead_of_ending(client: Client) -> None:
    script = scripted(client, block={W1, W2})
    script.fails_when_cancelled = UnreachableError("it hung")
    async with running(client, script) as handle:
        await until(lambda: script.loading["acme_voice"] == 2)
        first = GROUPS[0].id
        cut = CutOrder("acme_voice", first, W1, 86_400, "windlass", "it hung")
        await ordered(handle, script, NORMAL, cuts=(cut,))
        await until(lambda: f"cut {first}" in script.told)
        assert f"retry {first}" not in script.told, "it was told to end, not to try again"
        script.block.clear()
