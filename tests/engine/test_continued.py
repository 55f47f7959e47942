"""Long histories continue as new: nothing is done twice, nothing is lost."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

from tests.engine.script import GROUPS, Script, scripted
from windlass.domain.errors import SnapshotLostError
from windlass.engine.packing import CONVERTER
from windlass.engine.payloads import (
    CampaignInput,
    CampaignOrders,
    News,
    Standing,
    TenantInput,
    TenantRef,
)
from windlass.engine.retry import GROUP_TRIES
from windlass.engine.workflows.campaign import CampaignWorkflow
from windlass.engine.workflows.tenant import WINDOWS_AT_ONCE, TenantWorkflow

Campaign = WorkflowHandle[CampaignWorkflow, None]
NAMES = tuple(f"t{number}_voice" for number in range(6))
ONE_BY_ONE = CampaignOrders(1, 1, 1)
ORDER = CampaignInput("c", "prod", "ledger", events=40)


@pytest_asyncio.fixture(loop_scope="function")
async def client(temporal_address: str) -> AsyncIterator[Client]:
    yield await Client.connect(temporal_address, data_converter=CONVERTER)


async def lengths(client: Client, workflow: str, run: str) -> list[int]:
    """Events of each run, from that one on."""
    found = []
    while run:
        history = await client.get_workflow_handle(workflow, run_id=run).fetch_history()
        found.append(len(history.events))
        last = history.events[-1]
        run = last.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    return found


def script_of(client: Client, **wanted: object) -> Script:
    """Tenants one after the other, under ids that no other test has."""
    mine = tuple(f"{uuid.uuid4().hex[:8]}_{name}" for name in NAMES)
    return scripted(client, databases=mine, groups=(GROUPS[1],), orders=ONE_BY_ONE, **wanted)


async def begun(client: Client, queue: str, order: CampaignInput = ORDER) -> Campaign:
    """The campaign, named as its queue is."""
    return await client.start_workflow(CampaignWorkflow.run, order, id=queue, task_queue=queue)


@pytest.mark.asyncio(loop_scope="function")
async def test_a_long_campaign_goes_on_in_a_new_history(client: Client) -> None:
    script, queue = script_of(client), f"q-{uuid.uuid4()}"
    async with script.worker(client, queue):
        handle = await begun(client, queue)
        await handle.result()
    assert sorted(script.closed) == sorted(script.databases), "each once"
    assert script.told.count("close-cluster") == 1
    assert script.told[-1] == "close-cluster"
    runs = await lengths(client, queue, handle.first_execution_run_id or "")
    assert len(runs) > 1
    assert max(runs) < ORDER.events + 40


@pytest.mark.asyncio(loop_scope="function")
async def test_a_tenant_that_is_paused_for_long_keeps_no_other_waiting(client: Client) -> None:
    """Its slot is for others, and they are not held back until its history may end."""
    script, queue = script_of(client, block={"c/acme_voice/w3"}), f"q-{uuid.uuid4()}"
    async with script.worker(client, queue):
        handle = await begun(client, queue, replace(ORDER, events=15))
        assert await asyncio.to_thread(script.blocked.wait, 30)
        first = next(name for name in script.databases if script.loading[name])
        script.orders = replace(ONE_BY_ONE, tenants=(Standing(first, paused=True),))
        script.block.clear()
        await handle.signal(CampaignWorkflow.news, News())
        async with asyncio.timeout(60):
            while len(script.closed) < len(NAMES) - 1:
                await asyncio.sleep(0.02)
        script.orders = ONE_BY_ONE
        await handle.signal(CampaignWorkflow.news, News())
        await handle.result()
    assert sorted(script.closed) == sorted(script.databases)


@pytest.mark.asyncio(loop_scope="function")
async def test_a_continued_campaign_is_cancelled_as_any(client: Client) -> None:
    script, queue = script_of(client), f"q-{uuid.uuid4()}"
    async with script.worker(client, queue):
        handle = await begun(client, queue)
        async with asyncio.timeout(60):
            while len(script.closed) < 4:
                await asyncio.sleep(0.02)
        script.block.add("c/acme_voice/w3")
        assert await asyncio.to_thread(script.blocked.wait, 30)
        await client.get_workflow_handle(queue).cancel()
        async with asyncio.timeout(60):
            while (await client.get_workflow_handle(queue).describe()).status is (
                WorkflowExecutionStatus.RUNNING
            ):
                await asyncio.sleep(0.05)
    assert len(await lengths(client, queue, handle.first_execution_run_id or "")) > 1
    assert script.told[-1] == "close-cluster"
    assert "close-cancelled" in script.told


@pytest.mark.asyncio(loop_scope="function")
async def test_a_long_tenant_goes_on_with_its_next_group(client: Client) -> None:
    groups = tuple(
        replace(GROUPS[1], id=f"c/acme_voice/g{n}", windows=(f"c/acme_voice/v{n}",))
        for n in range(8)
    )
    script, queue = scripted(client, groups=groups), f"q-{uuid.uuid4()}"
    async with script.worker(client, queue):
        order = TenantInput(TenantRef("c", "prod", "acme_voice"), 1, events=60)
        handle = await client.start_workflow(TenantWorkflow.run, order, id=queue, task_queue=queue)
        await handle.result()
    settled = [line for line in script.told if line.startswith("settle")]
    assert settled == [f"settle {group.id}" for group in groups]
    assert len(await lengths(client, queue, handle.first_execution_run_id or "")) > 1


@pytest.mark.asyncio(loop_scope="function")
async def test_what_fails_in_a_full_history_is_left_to_the_operator(client: Client) -> None:
    """Of a group of thousands of windows each try is thousands of events, and Temporal ends a
    tenant with too many of them, whatever else it has in flight."""
    fails = [SnapshotLostError("no luck") for _ in range(GROUP_TRIES)]
    script = scripted(client, errors={"load c/acme_voice/w1": fails})
    queue = f"q-{uuid.uuid4()}"
    async with script.worker(client, queue):
        order = TenantInput(TenantRef("c", "prod", "acme_voice"), 2, events=10)
        await client.execute_workflow(TenantWorkflow.run, order, id=queue, task_queue=queue)
    parked = [line for line in script.told if line.startswith("park")]
    assert parked == [f"park {GROUPS[0].id}: no luck"]
    assert 1 <= script.snapshots[GROUPS[0].id] < GROUP_TRIES
    assert f"settle {GROUPS[1].id}" in script.told


@pytest.mark.asyncio(loop_scope="function")
async def test_groups_of_very_many_windows_are_not_in_flight_together(client: Client) -> None:
    windows = tuple(f"c/acme_voice/x{n}" for n in range(WINDOWS_AT_ONCE))
    one, many = GROUPS[1], replace(GROUPS[0], windows=windows)
    script, queue = scripted(client, groups=(one, many)), f"q-{uuid.uuid4()}"
    script.block |= set(one.windows)
    async with script.worker(client, queue):
        order = TenantInput(TenantRef("c", "prod", "acme_voice"), 4)
        handle = await client.start_workflow(TenantWorkflow.run, order, id=queue, task_queue=queue)
        assert await asyncio.to_thread(script.blocked.wait, 30)
        assert script.snapshots == {one.id: 1}
        script.block.clear()
        async with asyncio.timeout(60):
            while not script.snapshots[many.id]:
                await asyncio.sleep(0.02)
        await handle.cancel()
