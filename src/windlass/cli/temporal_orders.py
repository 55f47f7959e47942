"""Operators' orders on their way: into the record first, then to the workflows at Temporal."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from windlass.wiring import temporal

if TYPE_CHECKING:
    from temporalio.client import Client

    from windlass.engine.payloads import News
    from windlass.settings import Fleet

T = TypeVar("T")


async def ordered(
    fleet: "Fleet",
    ledger: str,
    campaign: str,
    news: "Mapping[str, News]",
    write: Callable[[], T],
    *,
    begin: bool = False,
) -> tuple[T, list[str]]:
    """`write` it down once every cluster's Temporal answers, then tell the campaign's workflow
    on each: `{cluster: news}`. With `begin` one that has ended is begun again. Returns what
    `write` returned, and the clusters where no workflow of the campaign runs."""
    clients = {name: await temporal.connect(fleet.cluster(name)) for name in news}
    written = await asyncio.to_thread(write)
    silent = []
    for name, client in clients.items():
        with temporal.answering(fleet.cluster(name)):
            told = await _tell(client, ledger, campaign, name, news[name], begin)
        silent += [] if told else [name]
    return written, silent


async def _tell(
    client: "Client", ledger: str, campaign: str, cluster: str, news: "News", begin: bool
) -> bool:
    """Whether a workflow heard it."""
    from temporalio.service import RPCError, RPCStatusCode

    from windlass.engine.payloads import CampaignInput
    from windlass.engine.worker import task_queue
    from windlass.engine.workflows.campaign import CampaignWorkflow
    from windlass.wiring import workflow_id

    name = workflow_id(campaign, cluster)
    if begin:
        await client.start_workflow(
            CampaignWorkflow.run,
            CampaignInput(campaign, cluster, ledger),
            id=name,
            task_queue=task_queue(cluster),
            memo={"ledger": ledger},
            start_signal="news",
            start_signal_args=[news],
        )
        return True
    try:
        await client.get_workflow_handle(name).signal(CampaignWorkflow.news, news)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return False
    return True
