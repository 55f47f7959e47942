"""Histories that earlier versions began go on under this one: each decision comes out again."""

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from windlass.engine.worker import PURE
from windlass.engine.workflows.campaign import CampaignWorkflow
from windlass.engine.workflows.tenant import TenantWorkflow

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))


@pytest.mark.parametrize("path", HISTORIES, ids=[path.stem for path in HISTORIES])
@pytest.mark.asyncio(loop_scope="function")
async def test_a_recorded_history_replays(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    await replay(WorkflowHistory.from_json(path.stem, text))


async def replay(history: WorkflowHistory) -> None:
    """Raises where the workflows decide otherwise than the history says."""
    replayer = Replayer(
        workflows=[CampaignWorkflow, TenantWorkflow],
        workflow_runner=SandboxedWorkflowRunner(
            restrictions=SandboxRestrictions.default.with_passthrough_modules(*PURE)
        ),
    )
    await replayer.replay_workflow(history)
