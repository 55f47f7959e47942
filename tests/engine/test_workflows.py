"""The decisions, on a real Temporal, over scripted deeds."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from temporalio.client import Client, WorkflowFailureError

from tests.engine.script import GROUPS, Script, scripted
from windlass.domain.errors import (
    GroupOverError,
    RemovalGuardError,
    SnapshotLostError,
    TransientError,
)
from windlass.engine.packing import CONVERTER
from windlass.engine.payloads import CampaignInput, TenantInput, TenantRef
from windlass.engine.workflows.campaign import CampaignWorkflow, tenant_workflow_id
from windlass.engine.workflows.tenant import TenantWorkflow

ONE, TWO = (group.id for group in GROUPS)
TENANT = TenantRef("c", "prod", "acme_voice")


@pytest_asyncio.fixture(loop_scope="function")
async def client(temporal_address: str) -> AsyncIterator[Client]:
    yield await Client.connect(temporal_address, data_converter=CONVERTER)


async def run(client: Client, script: Script, windows: int = 2) -> None:
    queue = f"q-{uuid.uuid4()}"
    async with script.worker(client, queue):
        await client.execute_workflow(
            TenantWorkflow.run, TenantInput(TENANT, windows), id=queue, task_queue=queue
        )


@pytest.mark.asyncio(loop_scope="function")
async def test_a_group_is_loaded_guarded_published_settled(client: Client) -> None:
    script = scripted(client)
    await run(client, script)
    of_one = [line for line in script.told if ONE in line]
    assert of_one == [
        f"guard {ONE}",
        f"publish {ONE} ['c/acme_voice/w1', 'c/acme_voice/w2']",
        f"settle {ONE}",
    ]
    assert script.snapshots == {ONE: 1, TWO: 1}
    assert script.told[-1] == "close-tenant"


@pytest.mark.asyncio(loop_scope="function")
async def test_a_lost_snapshot_starts_the_group_over_with_a_new_one(client: Client) -> None:
    script = scripted(client, errors={"load c/acme_voice/w2": [SnapshotLostError("gone")]})
    await run(client, script)
    assert script.snapshots[ONE] == 2
    assert script.told.count(f"retry {ONE}") == 1
    assert f"settle {ONE}" in script.told


@pytest.mark.asyncio(loop_scope="function")
async def test_the_next_group_loads_while_one_is_published(client: Client) -> None:
    """With one window at a time: publishing needs none."""
    script = scripted(client, block={f"publish {ONE}"})
    done = asyncio.create_task(run(client, script, windows=1))
    async with asyncio.timeout(60):
        while "guard " + TWO not in script.told:
            await asyncio.sleep(0.01)
    assert script.told.index(f"guard {ONE}") < script.told.index("load c/acme_voice/w3")
    assert f"settle {ONE}" not in script.told
    script.block.clear()
    await done


@pytest.mark.asyncio(loop_scope="function")
async def test_what_has_begun_to_append_is_never_loaded_again(client: Client) -> None:
    """The whole group is tried again after its rows were moved: loaded anew they would double."""
    groups = tuple(replace(group, once=True) for group in GROUPS)
    lost = {f"settle {ONE}": [SnapshotLostError("gone")]}
    script = scripted(client, errors=lost, groups=groups)
    await run(client, script)
    assert script.snapshots[ONE] == 1
    assert script.told.count(f"guard {ONE}") == 1
    assert len([line for line in script.told if line.startswith(f"publish {ONE}")]) == 2


@pytest.mark.asyncio(loop_scope="function")
async def test_a_group_that_came_to_its_end_elsewhere_is_left_at_rest(client: Client) -> None:
    script = scripted(client, errors={"load c/acme_voice/w1": [GroupOverError("done")]})
    await run(client, script)
    assert not any(line.startswith(("park", "retry")) for line in script.told)
    assert not any(line.startswith(f"publish {ONE}") for line in script.told)
    assert f"settle {TWO}" in script.told


@pytest.mark.asyncio(loop_scope="function")
async def test_a_transient_error_is_retried_within_its_activity(client: Client) -> None:
    script = scripted(client, errors={f"guard {ONE}": [TransientError("deadlock")]})
    await run(client, script)
    assert script.told.count(f"guard {ONE}") == 2
    assert script.snapshots[ONE] == 1


@pytest.mark.asyncio(loop_scope="function")
async def test_a_parked_group_leaves_the_others_alone(client: Client) -> None:
    script = scripted(client, errors={f"guard {ONE}": [RemovalGuardError("too many rows go")]})
    await run(client, script)
    assert f"park {ONE}: too many rows go" in script.told
    assert not any(line.startswith(f"publish {ONE}") for line in script.told)
    assert f"settle {TWO}" in script.told


@pytest.mark.asyncio(loop_scope="function")
async def test_a_source_that_changes_again_is_loaded_again_a_few_times(client: Client) -> None:
    script = scripted(client, groups=GROUPS[1:], again=99)
    await run(client, script)
    settled = [line for line in script.told if line.startswith("settle")]
    assert settled == [f"settle {TWO}"] * 3 + [f"settle {TWO} final"]


@pytest.mark.asyncio(loop_scope="function")
async def test_cancel_stops_the_loads_and_proves_it(client: Client) -> None:
    script = scripted(client, block={"c/acme_voice/w1"})
    queue = f"q-{uuid.uuid4()}"
    async with script.worker(client, queue):
        order = CampaignInput("c", "prod", "ledger")
        handle = await client.start_workflow(
            CampaignWorkflow.run, order, id=queue, task_queue=queue
        )
        assert await asyncio.to_thread(script.blocked.wait, 30)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    assert script.told[-2:] == ["close-cancelled", "close-cluster"]
    assert not any(line.startswith(f"publish {ONE}") for line in script.told)


@pytest.mark.asyncio(loop_scope="function")
async def test_a_second_campaign_on_the_same_tenant_is_kept_out(client: Client) -> None:
    script = scripted(client, block={"c/acme_voice/w1"})
    queue = f"q-{uuid.uuid4()}"
    async with script.worker(client, queue):
        first = await client.start_workflow(
            CampaignWorkflow.run, CampaignInput("c", "prod", "x"), id=queue, task_queue=queue
        )
        assert await asyncio.to_thread(script.blocked.wait, 30)
        await client.execute_workflow(
            CampaignWorkflow.run, CampaignInput("d", "prod", "x"), id=f"{queue}-2", task_queue=queue
        )
        assert any(line.startswith("park tenant: another campaign") for line in script.told)
        script.block.clear()
        await first.result()
    found = client.get_workflow_handle(tenant_workflow_id("scorecards", "prod", "acme_voice"))
    assert (await found.describe()).status is not None


@pytest.mark.asyncio(loop_scope="function")
async def test_what_a_large_group_was_loaded_with_passes_through_temporal(client: Client) -> None:
    """Temporal takes no payload beyond 2 MB; thousands of windows with a few tables are more."""
    windows = tuple(f"c/acme_voice/w{number}" for number in range(24))
    group = replace(GROUPS[0], windows=windows)
    script = scripted(client, groups=(group,), reads=1_000)
    async with asyncio.timeout(60):
        await run(client, script, windows=8)
    assert script.told[-2:] == [f"settle {ONE}", "close-tenant"]
    assert not [line for line in script.told if line.startswith(("retry", "park"))]
