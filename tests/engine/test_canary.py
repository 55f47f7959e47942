"""Canaries and priorities on a real Temporal, over scripted deeds."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from tests.engine.script import scripted
from tests.engine.test_control import W1, ordered, running, until
from windlass.engine.packing import CONVERTER
from windlass.engine.payloads import CampaignOrders

OPEN = CampaignOrders(4, 2, 2)
GATED = replace(OPEN, canaries=("acme_voice",), gated=True)
THREE = ("acme_voice", "globex_voice", "initech_voice")


@pytest_asyncio.fixture(loop_scope="function")
async def client(temporal_address: str) -> AsyncIterator[Client]:
    yield await Client.connect(temporal_address, data_converter=CONVERTER)


def opened(told: list[str]) -> list[str]:
    return [line.split()[1] for line in told if line.startswith("open ")]


@pytest.mark.asyncio(loop_scope="function")
async def test_the_rest_begins_when_the_canary_is_verified(client: Client) -> None:
    script = scripted(client, orders=GATED, databases=THREE, block={W1})
    async with running(client, script):
        await until(lambda: script.loading["acme_voice"] == 1)
        assert opened(script.told) == ["acme_voice"], "there are slots, and nobody takes one"
        script.orders = OPEN
        script.block.clear()
    assert sorted(opened(script.told)) == [*THREE]


@pytest.mark.asyncio(loop_scope="function")
async def test_a_cluster_waits_for_canaries_of_another_until_it_is_told(client: Client) -> None:
    elsewhere = replace(GATED, canaries=())
    script = scripted(client, orders=elsewhere, databases=THREE[1:])
    async with running(client, script) as handle:
        await ordered(handle, script, elsewhere)
        await until(lambda: script.heard >= 1)
        await ordered(handle, script, OPEN)
    assert sorted(opened(script.told)) == [*THREE[1:]]
    events = [event.event_type for event in (await handle.fetch_history()).events]
    before = events[: events.index(EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED)]
    signals = before.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
    assert signals == 2, "nobody began before the word that let them"


@pytest.mark.asyncio(loop_scope="function")
async def test_a_canary_that_ends_unverified_lets_nobody_begin(client: Client) -> None:
    script = scripted(client, orders=GATED, databases=THREE[:2])
    async with running(client, script) as handle:
        await until(lambda: script.heard >= 1)
        assert opened(script.told) == ["acme_voice"]
        await ordered(handle, script, GATED, again=("acme_voice",))
        await until(lambda: opened(script.told) == ["acme_voice", "acme_voice"])
        await until(lambda: script.heard >= 3)
        script.orders = OPEN
        await ordered(handle, script, OPEN)
    assert opened(script.told) == ["acme_voice", "acme_voice", "globex_voice"]


@pytest.mark.asyncio(loop_scope="function")
async def test_slots_go_to_who_stands_first_in_the_order(client: Client) -> None:
    one_at_a_time = CampaignOrders(2, 2, 1)
    script = scripted(client, orders=one_at_a_time, databases=THREE, block={W1})
    script.first = ("acme_voice", "initech_voice", "globex_voice")
    async with running(client, script):
        await until(lambda: script.loading["acme_voice"] == 1)
        script.block.clear()
    assert opened(script.told) == ["acme_voice", "initech_voice", "globex_voice"]
