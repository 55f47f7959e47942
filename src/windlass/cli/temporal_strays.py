"""Campaign workflows that run though the ledger knows of no campaign that they could drive."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from temporalio.client import Client

    from windlass.ports import LedgerReader

Finding = tuple[str, str, str]

_QUERY = "WorkflowType = 'windlass-campaign' AND ExecutionStatus = 'Running'"
_MOST = 1000
"""Workflows that are looked at."""


async def strays(client: "Client", ledger: "LedgerReader", cluster: str) -> list[Finding]:
    """A finding for each: (level, what, next step); none where Temporal cannot list workflows."""
    from temporalio.service import RPCError

    try:
        running = await _running(client, cluster)
    except RPCError:
        return []
    known = {one.name: one.state.final for one in ledger.campaigns(_MOST)}
    return [
        (
            "warn",
            f"workflow {workflow} runs, but {why}",
            "if no other ledger has it: temporal workflow terminate --workflow-id "
            f"'{workflow}' --namespace {client.namespace}",
        )
        for workflow in running
        for why in [_why(workflow, cluster, known)]
        if why
    ]


async def _running(client: "Client", cluster: str) -> list[str]:
    found = client.list_workflows(_QUERY, limit=_MOST)
    return [one.id async for one in found if one.id.endswith(f"/{cluster}")]


def _why(workflow: str, cluster: str, known: Mapping[str, bool]) -> str:
    campaign = workflow.removeprefix("windlass/").removesuffix(f"/{cluster}")
    if campaign not in known:
        return f"this ledger has no campaign {campaign}"
    return f"campaign {campaign} has ended" if known[campaign] else ""
