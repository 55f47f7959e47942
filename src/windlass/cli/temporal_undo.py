"""Undo orders at Temporal: a workflow per tenant, under the tenant's lock."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from windlass.domain.undo import GroupUndo, UndoOrder
from windlass.wiring import temporal

if TYPE_CHECKING:
    from temporalio.client import Client, WorkflowHandle

    from windlass.engine.payloads.orders import UndoInput, UndoResult
    from windlass.settings import Fleet

OnWait = Callable[[str], None]
PATIENCE = 8.0
"""Seconds between two words about an undo that takes its time."""


def by_tenant(groups: Sequence[GroupUndo]) -> Mapping[tuple[str, str], Sequence[GroupUndo]]:
    """`{(cluster, database): groups}` in the order given."""
    found: dict[tuple[str, str], list[GroupUndo]] = {}
    for one in groups:
        found.setdefault((one.cluster, one.database), []).append(one)
    return found


async def undo(
    fleet: "Fleet",
    ledger: str,
    campaign: str,
    dataset: str,
    groups: Sequence[GroupUndo],
    order: UndoOrder,
    on_wait: OnWait,
) -> "list[UndoResult]":
    """Undo these groups, all tenants at once; a result per tenant, in `by_tenant`'s order."""
    from windlass.engine.payloads import TenantRef
    from windlass.engine.payloads.orders import UndoInput

    orders = [
        UndoInput(
            TenantRef(campaign, cluster, database), ledger, tuple(g.group for g in mine), order
        )
        for (cluster, database), mine in by_tenant(groups).items()
    ]
    found = await asyncio.gather(*(_tenant(fleet, dataset, one, on_wait) for one in orders))
    return list(found)


async def _tenant(
    fleet: "Fleet", dataset: str, order: "UndoInput", on_wait: OnWait
) -> "UndoResult":
    from temporalio.client import WorkflowFailureError
    from temporalio.exceptions import WorkflowAlreadyStartedError

    from windlass.engine.payloads.orders import UndoResult
    from windlass.engine.worker import task_queue
    from windlass.engine.workflows.campaign import tenant_workflow_id
    from windlass.engine.workflows.undo import UndoWorkflow

    tenant = order.tenant
    client = await temporal.connect(fleet.cluster(tenant.cluster))
    try:
        handle: WorkflowHandle[Any, UndoResult] = await client.start_workflow(
            UndoWorkflow.run,
            order,
            id=tenant_workflow_id(dataset, tenant.cluster, tenant.database),
            task_queue=task_queue(tenant.cluster),
            static_summary=f"undo {tenant.campaign}/{tenant.database}",
        )
    except WorkflowAlreadyStartedError:
        return UndoResult(refused=f"{tenant.database}: a campaign or an undo is at work on it now")
    try:
        return await _result(client, handle, tenant.cluster, on_wait)
    except WorkflowFailureError as error:
        return UndoResult(refused=f"{tenant.database}: {error.cause or error}")


async def _result(
    client: "Client",
    handle: "WorkflowHandle[Any, UndoResult]",
    cluster: str,
    on_wait: OnWait,
) -> "UndoResult":
    """Wait for it. Where no worker serves the queue it stays there until one does: an undo that
    has begun must not be given up."""
    waiting = asyncio.ensure_future(handle.result())
    try:
        while not (await asyncio.wait({waiting}, timeout=PATIENCE))[0]:
            served = await temporal.served(client, cluster)
            on_wait(
                f"the worker of {cluster} is at it …"
                if served
                else f"no worker serves {cluster}: the undo waits for one "
                f"(windlass worker --cluster {cluster})"
            )
        return waiting.result()
    finally:
        waiting.cancel()
