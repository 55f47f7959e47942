"""Questions on a real Temporal: whoever dies over one is followed by another."""

import uuid
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from windlass.domain.errors import UnreachableError
from windlass.engine.activities.watch import application_error
from windlass.engine.packing import CONVERTER
from windlass.engine.payloads import CheckInput, ErrandInput
from windlass.engine.worker import PURE
from windlass.engine.workflows.errand import CheckWorkflow, ErrandWorkflow


@dataclass
class Answers:
    """Fails at first, then answers."""

    failures: int = 1
    asked: list[tuple[str, int]] = field(default_factory=list)

    @activity.defn(name="answer")
    def answer(self, order: ErrandInput) -> None:
        self.asked.append((order.request, activity.info().attempt))
        if len(self.asked) <= self.failures:
            raise application_error(UnreachableError("the worker died"))

    @activity.defn(name="begin-check")
    def begin_check(self, order: CheckInput) -> ErrandInput:
        return ErrandInput(f"verify-{order.schedule}", order.ledger, again=True)

    @asynccontextmanager
    async def at_work(self, client: Client, queue: str) -> AsyncIterator[None]:
        restrictions = SandboxRestrictions.default.with_passthrough_modules(*PURE)
        async with Worker(
            client,
            task_queue=queue,
            workflows=[ErrandWorkflow, CheckWorkflow],
            activities=[self.answer, self.begin_check],
            activity_executor=ThreadPoolExecutor(2),
            workflow_runner=SandboxedWorkflowRunner(restrictions=restrictions),
        ):
            yield


@pytest_asyncio.fixture(loop_scope="function")
async def client(temporal_address: str) -> AsyncIterator[Client]:
    yield await Client.connect(temporal_address, data_converter=CONVERTER)


@pytest.mark.asyncio(loop_scope="function")
async def test_a_verification_is_taken_up_again(client: Client) -> None:
    answers, queue = Answers(), f"q-{uuid.uuid4()}"
    async with answers.at_work(client, queue):
        order = ErrandInput("verify-1", "ledger", again=True)
        await client.execute_workflow(ErrandWorkflow.run, order, id=queue, task_queue=queue)
    assert answers.asked == [("verify-1", 1), ("verify-1", 2)]


@pytest.mark.asyncio(loop_scope="function")
async def test_a_scheduled_run_is_drawn_up_and_then_answered(client: Client) -> None:
    answers, queue = Answers(), f"q-{uuid.uuid4()}"
    async with answers.at_work(client, queue):
        order = CheckInput("nightly", "voice-prod", "ledger")
        await client.execute_workflow(CheckWorkflow.run, order, id=queue, task_queue=queue)
    assert answers.asked == [("verify-nightly", 1), ("verify-nightly", 2)]
