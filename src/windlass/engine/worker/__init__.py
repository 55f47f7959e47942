"""The one place where workflows and activities are registered."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from windlass.engine.activities.books import BookActivities
from windlass.engine.activities.control import ControlActivities
from windlass.engine.activities.desk import Desk
from windlass.engine.activities.errands import ErrandActivities, Loader
from windlass.engine.activities.load import LoadActivities
from windlass.engine.activities.publish import PublishActivities
from windlass.engine.activities.snapshot import Signal, SnapshotActivities
from windlass.engine.activities.undo import UndoActivities
from windlass.engine.payloads import SnapshotReady
from windlass.engine.retry import BEAT, GRACE
from windlass.engine.workflows.campaign import CampaignWorkflow
from windlass.engine.workflows.errand import CheckWorkflow, ErrandWorkflow
from windlass.engine.workflows.tenant import TenantWorkflow
from windlass.engine.workflows.undo import UndoWorkflow

PURE = (
    "windlass.domain",
    "windlass.engine",
    "windlass.planner",
    "windlass.ports",
    "windlass.verify",
)


@dataclass(frozen=True)
class Seat:
    """One cluster's worker: its Temporal client, its ports, its limits, and the ledger's codec."""

    client: Client
    desk: Desk
    windows: int
    windows_per_tenant: int
    load: Loader
    dump: Callable[[object], str]

    @property
    def task_queue(self) -> str:
        """The queue that `windlass-<cluster>` work arrives on."""
        return task_queue(self.desk.cluster)

    @property
    def slots(self) -> int:
        """Activities (and threads) at once: each window may need a snapshot holder beside it, and
        a group be published meanwhile."""
        return 3 * self.windows + 8


def task_queue(cluster: str) -> str:
    """The Temporal task queue of a cluster."""
    return f"windlass-{cluster}"


def build(seat: Seat) -> Worker:
    """The worker with everything that it can do."""
    desk = seat.desk
    books = BookActivities(desk, seat.windows, seat.windows_per_tenant)
    control = ControlActivities(desk, seat.windows, seat.windows_per_tenant)
    deeds = PublishActivities(desk)
    undo = UndoActivities(desk)
    errands = ErrandActivities(desk, seat.load, seat.dump)
    return Worker(
        seat.client,
        task_queue=seat.task_queue,
        workflows=[CampaignWorkflow, TenantWorkflow, ErrandWorkflow, CheckWorkflow, UndoWorkflow],
        activities=[
            SnapshotActivities(desk, signals(seat.client)).hold,
            LoadActivities(desk).load,
            deeds.guard,
            deeds.publish,
            deeds.settle,
            books.open_campaign,
            books.close_campaign,
            books.open_tenant,
            books.close_tenant,
            books.close_cancelled,
            books.park,
            books.note_retry,
            control.hear,
            control.rest,
            control.drop,
            control.cut,
            undo.check,
            undo.undo,
            errands.answer,
            errands.begin_check,
        ],
        activity_executor=ThreadPoolExecutor(seat.slots, thread_name_prefix=desk.cluster),
        max_concurrent_activities=seat.slots,
        max_heartbeat_throttle_interval=BEAT,
        default_heartbeat_throttle_interval=BEAT,
        graceful_shutdown_timeout=GRACE,
        workflow_runner=SandboxedWorkflowRunner(
            restrictions=SandboxRestrictions.default.with_passthrough_modules(*PURE)
        ),
    )


def signals(client: Client) -> Signal:
    """`snapshot_ready` from an activity's thread, through the client's own loop."""
    loop = asyncio.get_running_loop()

    def send(workflow_id: str, word: SnapshotReady) -> None:
        handle = client.get_workflow_handle_for(TenantWorkflow.run, workflow_id)
        sending = handle.signal(TenantWorkflow.snapshot_ready, word)
        asyncio.run_coroutine_threadsafe(sending, loop).result(timeout=30)

    return send
