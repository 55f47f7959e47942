"""What operators order while a campaign runs, on a real Temporal, over scripted deeds."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from tests.engine.script import GROUPS, Script, scripted
from tests.engine.test_replay import replay
from windlass.domain.errors import RemovalGuardError
from windlass.engine.packing import CONVERTER
from windlass.engine.payloads import (
    CampaignInput,
    CampaignOrders,
    CutOrder,
    GroupOrder,
    News,
    Standing,
)
from windlass.engine.workflows.campaign import CampaignWorkflow, tenant_workflow_id

ONE, TWO = (group.id for group in GROUPS)
W1, W2, W3 = "c/acme_voice/w1", "c/acme_voice/w2", "c/acme_voice/w3"
PAUSED = CampaignOrders(4, 2, 2, paused=True)
NORMAL = CampaignOrders(4, 2, 2)
Handle = WorkflowHandle[CampaignWorkflow, Any]


@pytest_asyncio.fixture(loop_scope="function")
async def client(temporal_address: str) -> AsyncIterator[Client]:
    yield await Client.connect(temporal_address, data_converter=CONVERTER)


@asynccontextmanager
async def running(client: Client, script: Script) -> AsyncIterator[Handle]:
    """The campaign, begun; the block ends when it has ended."""
    queue = f"q-{uuid.uuid4()}"
    order = CampaignInput("c", "prod", "ledger")
    async with script.worker(client, queue):
        handle = await client.start_workflow(
            CampaignWorkflow.run, order, id=queue, task_queue=queue
        )
        names = [queue, *(tenant_id(database) for database in script.databases)]
        try:
            yield handle
            await asyncio.wait_for(handle.result(), 60)
        finally:
            for name in names:
                with suppress(RPCError):  # it has ended, as it should: else it would hold its lock
                    await client.get_workflow_handle(name).terminate()
    for name in names:
        with suppress(RPCError):  # a tenant that was cancelled before it began
            await replay(await client.get_workflow_handle(name).fetch_history())


def tenant_id(database: str) -> str:
    return tenant_workflow_id("scorecards", "prod", database)


async def told(client: Client, database: str) -> None:
    """Wait until the tenant was told what is ordered: before anything that ends from now on."""
    tenant = client.get_workflow_handle(tenant_id(database))
    async with asyncio.timeout(60):
        while True:
            events = (await tenant.fetch_history()).events
            signals = (event.workflow_execution_signaled_event_attributes for event in events)
            if any(signal.signal_name == "orders" for signal in signals):
                return


async def until(true: Callable[[], bool]) -> None:
    """Wait for what another thread brings about."""
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.02)


async def ordered(handle: Handle, script: Script, orders: CampaignOrders, **news: Any) -> None:
    """As a command does it: into the record first, then the word."""
    script.orders = orders
    await handle.signal(CampaignWorkflow.news, News(**news))


def published(script: Script) -> list[str]:
    return [line.split()[1] for line in script.told if line.startswith("publish")]


@pytest.mark.asyncio(loop_scope="function")
async def test_a_pause_lets_loads_end_and_holds_publish_back(client: Client) -> None:
    script = scripted(client, block={W1, W2, W3}, groups=GROUPS)
    async with running(client, script) as handle:
        await until(lambda: script.loading["acme_voice"] == 2)
        await ordered(handle, script, PAUSED)
        await told(client, "acme_voice")
        script.block.clear()
        await until(lambda: f"rest {ONE}" in script.told)
        assert f"guard {ONE}" in script.told, "what was loaded is judged while its snapshot stands"
        assert published(script) == []
        assert f"load {W3}" not in script.told, "nothing begins"
        await ordered(handle, script, NORMAL)
    assert sorted(published(script)) == [ONE, TWO]
    assert script.snapshots == {ONE: 1, TWO: 1}


@pytest.mark.asyncio(loop_scope="function")
async def test_one_group_is_paused_by_itself(client: Client) -> None:
    held = replace(NORMAL, tenants=(Standing("acme_voice", held=(ONE,)),))
    script = scripted(client, orders=held)
    async with running(client, script) as handle:
        await until(lambda: f"settle {TWO}" in script.told and f"rest {ONE}" in script.told)
        assert published(script) == [TWO]
        await ordered(handle, script, NORMAL)
    assert published(script) == [TWO, ONE]


@pytest.mark.asyncio(loop_scope="function")
async def test_a_tenant_is_paused_and_its_slot_goes_to_another(client: Client) -> None:
    script = scripted(
        client, orders=CampaignOrders(2, 2, 1), databases=("acme_voice", "globex_voice")
    )
    script.block |= {W1}
    async with running(client, script) as handle:
        await until(lambda: script.loading["acme_voice"] == 1)
        assert "open globex_voice" not in script.told
        stands = (Standing("acme_voice", paused=True),)
        await ordered(handle, script, replace(script.orders, tenants=stands))
        await until(lambda: "open globex_voice" in script.told)
        script.block.clear()
        await until(lambda: "close-tenant" in script.told)
        await ordered(handle, script, CampaignOrders(2, 2, 1))
    assert script.told.count("close-tenant") == 2


@pytest.mark.asyncio(loop_scope="function")
async def test_a_lower_limit_begins_fewer_windows(client: Client) -> None:
    many = tuple(f"c/acme_voice/m{n}" for n in range(6))
    groups = (GroupOrder("c/acme_voice/group-m", many, True),)
    script = scripted(client, block=set(many), groups=groups)
    async with running(client, script) as handle:
        await until(lambda: script.loading["acme_voice"] == 2)
        await ordered(handle, script, CampaignOrders(1, 1, 1))
        await told(client, "acme_voice")
        script.block.discard(many[0])
        await until(lambda: script.loading["acme_voice"] == 1)
        script.block.discard(many[1])
        await until(lambda: f"load {many[2]}" in script.told)
        assert script.loading["acme_voice"] == 1
        await ordered(handle, script, CampaignOrders(4, 4, 1))
        await until(lambda: script.loading["acme_voice"] == 4)
        script.block.clear()
    assert published(script) == [groups[0].id]


@pytest.mark.asyncio(loop_scope="function")
async def test_one_tenant_is_cancelled_and_the_others_go_on(client: Client) -> None:
    both = ("acme_voice", "globex_voice")
    script = scripted(client, block={W1}, databases=both)
    async with running(client, script) as handle:
        await until(lambda: script.loading["acme_voice"] == script.loading["globex_voice"] == 1)
        stands = (Standing("acme_voice", cancelled=True),)
        await ordered(handle, script, replace(NORMAL, tenants=stands))
        await until(lambda: "close-cancelled" in script.told)
        assert script.loading["globex_voice"] == 1
        script.block.clear()
    assert published(script).count(ONE) == 1
    assert script.told[-2:] == ["close-tenant", "close-cluster"]


@pytest.mark.asyncio(loop_scope="function")
async def test_a_tenant_that_waits_is_cancelled_with_proof(client: Client) -> None:
    both = ("acme_voice", "globex_voice")
    script = scripted(client, block={W1}, databases=both, orders=CampaignOrders(2, 2, 1))
    async with running(client, script) as handle:
        await until(lambda: script.loading["acme_voice"] == 1)
        stands = (Standing("globex_voice", cancelled=True),)
        await ordered(handle, script, replace(script.orders, tenants=stands))
        await until(lambda: "close-cancelled" in script.told)
        script.block.clear()
    assert "open globex_voice" not in script.told


@pytest.mark.asyncio(loop_scope="function")
async def test_a_cancelled_campaign_waits_for_every_tenants_proof(client: Client) -> None:
    script = scripted(client, block={W1}, databases=("acme_voice", "globex_voice"))
    queue = f"q-{uuid.uuid4()}"
    async with script.worker(client, queue):
        order = CampaignInput("c", "prod", "ledger")
        handle = await client.start_workflow(
            CampaignWorkflow.run, order, id=queue, task_queue=queue
        )
        await until(lambda: script.loading["acme_voice"] == script.loading["globex_voice"] == 1)
        await handle.cancel()
        with pytest.raises(Exception, match="Workflow execution"):
            await handle.result()
    assert script.told[-3:] == ["close-cancelled", "close-cancelled", "close-cluster"]


@pytest.mark.asyncio(loop_scope="function")
async def test_one_group_is_cancelled_with_proof(client: Client) -> None:
    script = scripted(client, block={W1})
    async with running(client, script) as handle:
        await until(lambda: script.loading["acme_voice"] == 1)
        stands = (Standing("acme_voice", dropped=(ONE,)),)
        await ordered(handle, script, replace(NORMAL, tenants=stands))
        await until(lambda: f"drop {ONE}" in script.told)
    assert published(script) == [TWO]
    assert script.told[-2:] == ["close-tenant", "close-cluster"]


@pytest.mark.asyncio(loop_scope="function")
async def test_a_parked_group_is_retried_while_others_run(client: Client) -> None:
    errors = {f"guard {ONE}": [RemovalGuardError("too many rows go")]}
    script = scripted(client, errors=errors, block={W3}, todo=GROUPS[:1])
    async with running(client, script) as handle:
        await until(lambda: f"park {ONE}: too many rows go" in script.told)
        await ordered(handle, script, NORMAL, again=("acme_voice",))
        await until(lambda: f"settle {ONE}" in script.told)
        script.todo, script.groups = (), ()
        script.block.clear()
    assert sorted(published(script)) == [ONE, TWO]


@pytest.mark.asyncio(loop_scope="function")
async def test_a_group_is_cut_after_it_is_proven_dead(client: Client) -> None:
    pieces = tuple(
        GroupOrder(f"c/acme_voice/piece-{n}", (f"c/acme_voice/p{n}",), True) for n in (1, 2)
    )
    script = scripted(client, block={W1}, todo=pieces)
    async with running(client, script) as handle:
        await until(lambda: script.loading["acme_voice"] == 1)
        cut = CutOrder("acme_voice", ONE, W1, 0, "ada@ops1", "too slow")
        await ordered(handle, script, NORMAL, cuts=(cut,))
        await until(lambda: f"settle {pieces[1].id}" in script.told)
        script.todo, script.groups = (), ()
    assert script.told.count(f"cut {ONE}") == 1
    assert set(published(script)) == {TWO, *(one.id for one in pieces)}
