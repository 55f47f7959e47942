"""Scheduled verifications as Temporal's schedules: one for each name and cluster."""

from typing import TYPE_CHECKING

from windlass.domain.errors import RefusedError, UnreachableError
from windlass.ports import CheckSchedule

if TYPE_CHECKING:
    from temporalio.client import Client, Schedule


def schedule_id(check: CheckSchedule) -> str:
    """The Temporal schedule's id."""
    return f"windlass/verify/{check.cluster}/{check.name}"


async def create(client: "Client", check: CheckSchedule, ledger: str) -> None:
    """Make it, and have it run at once. RefusedError: Temporal has one of that name."""
    from temporalio.client import ScheduleAlreadyRunningError
    from temporalio.service import RPCError

    try:
        await client.create_schedule(
            schedule_id(check), _schedule(check, ledger), trigger_immediately=True
        )
    except ScheduleAlreadyRunningError:
        raise RefusedError(
            f"Temporal has a schedule {schedule_id(check)} that the ledger does not know",
            where=f"cluster {check.cluster}",
            next_step="choose another --name, or delete it in Temporal",
        ) from None
    except RPCError as error:
        raise _unreachable(check, error.message) from error


async def delete(client: "Client", check: CheckSchedule) -> None:
    """End it; one that is gone already is as well."""
    from temporalio.service import RPCError, RPCStatusCode

    try:
        await client.get_schedule_handle(schedule_id(check)).delete()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise _unreachable(check, error.message) from error


def _schedule(check: CheckSchedule, ledger: str) -> "Schedule":
    from temporalio.client import (
        Schedule,
        ScheduleActionStartWorkflow,
        ScheduleIntervalSpec,
        ScheduleOverlapPolicy,
        SchedulePolicy,
        ScheduleSpec,
    )

    from windlass.engine.payloads import CheckInput
    from windlass.engine.worker import task_queue
    from windlass.engine.workflows.errand import CheckWorkflow

    run = ScheduleActionStartWorkflow(
        CheckWorkflow.run,
        CheckInput(check.name, check.cluster, ledger),
        id=schedule_id(check),
        task_queue=task_queue(check.cluster),
    )
    spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=check.every)])
    policy = SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP)
    return Schedule(action=run, spec=spec, policy=policy)


def _unreachable(check: CheckSchedule, why: str) -> UnreachableError:
    return UnreachableError(
        "Temporal did not take the schedule", where=f"cluster {check.cluster}", why=why
    )
