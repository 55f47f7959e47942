"""What the command line wants of the engine: asked and told by way of Temporal."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from windlass import settings
from windlass.domain.errors import (
    UNDISCOVERED,
    LedgersDifferError,
    OverlapError,
    UsageError,
    WindlassError,
)
from windlass.domain.naming import campaign_name
from windlass.domain.plan import ClusterPlan, Plan, Request
from windlass.domain.record import CampaignDraft, Scope
from windlass.domain.states import State
from windlass.wiring.adapters import SystemClock, open_ledger
from windlass.wiring.temporal import answering, at_work, connect, holder, no_worker, refused, served

if TYPE_CHECKING:
    from temporalio.client import Client, WorkflowHandle

    from windlass.ledger.store import SqlLedger

OnWait = Callable[[str], None]
"""Called with a line for the operator whenever something takes its time."""

log = logging.getLogger("windlass")

NO_WORKER_AFTER = 8.0
"""Seconds without an answer after which a queue without a poller is called abandoned."""


async def ask(
    fleet: settings.Fleet, cluster: str, kind: str, payload: str, *, on_wait: OnWait
) -> str:
    """Ask the cluster's worker; the answer's JSON. Raises what the worker raised."""
    from windlass.engine.payloads import ErrandInput
    from windlass.engine.workflows.errand import ErrandWorkflow

    ledger = open_ledger(fleet)
    client = await connect(fleet.cluster(cluster))
    request = ledger.create_request(kind, cluster, payload)
    with answering(fleet.cluster(cluster)):
        handle = await client.start_workflow(
            ErrandWorkflow.run,
            ErrandInput(request, ledger.ledger_id(), again=kind == "verify"),
            id=f"windlass/ask/{kind}/{request}",
            task_queue=fleet.cluster(cluster).task_queue,
        )
        try:
            await _wait(client, handle, cluster, on_wait)
        except asyncio.CancelledError:
            await handle.cancel()
            raise
    return ledger.answer(request)


async def _wait(
    client: "Client", handle: "WorkflowHandle[Any, None]", cluster: str, on_wait: OnWait
) -> None:
    """Wait for the errand, but not for a queue that nobody serves."""
    from temporalio.client import WorkflowFailureError

    waiting = asyncio.ensure_future(handle.result())
    try:
        while not (await asyncio.wait({waiting}, timeout=NO_WORKER_AFTER))[0]:
            if not await served(client, cluster):
                await handle.terminate("no worker serves the queue")
                raise no_worker(cluster)
            on_wait(f"the worker of {cluster} is at it …")
        waiting.result()
    except WorkflowFailureError as error:
        raise await _failed(client, cluster, error) from error
    finally:
        waiting.cancel()


async def _failed(client: "Client", cluster: str, error: BaseException) -> WindlassError:
    """The innermost reason of a failed workflow, in one error."""
    inner: BaseException = error
    while inner.__cause__ is not None:
        inner = inner.__cause__
    text = str(getattr(inner, "message", None) or inner)
    if getattr(inner, "type", None) == LedgersDifferError.__name__:
        return _other_ledger(cluster, text, await at_work(client, cluster))
    return WindlassError(
        "the worker could not answer",
        where=f"cluster {cluster}",
        why=text,
        next_step="see the worker's log; windlass doctor checks the rest",
    )


def _other_ledger(cluster: str, text: str, running: Mapping[str, str]) -> WindlassError:
    """The worker serves another ledger; what runs there is in the way."""
    if not running:
        return LedgersDifferError(text, where=f"cluster {cluster}")
    return OverlapError(
        f"{', '.join(sorted(running))} is at work on this cluster, from another ledger",
        where=f"cluster {cluster}",
        why=text,
        next_step="use that ledger, or wait until it is done",
    )


async def _refuse_others(client: "Client", ledger: "SqlLedger", made: Plan, cluster: str) -> None:
    """Campaigns that our ledger does not know may hold the same tenants. OverlapError."""
    from windlass.engine.workflows.campaign import tenant_workflow_id

    dataset, ours = made.request.dataset.name, ledger.ledger_id()
    running = await at_work(client, cluster)
    if not any(theirs != ours for theirs in running.values()):
        return
    for tenant in (t.tenant for t in made.tenants if t.tenant.cluster == cluster and t.groups):
        name = await holder(client, tenant_workflow_id(dataset, cluster, tenant.database))
        if name is not None and running.get(name, ours) != ours:
            raise OverlapError(
                f"campaign {name}, from another ledger, is at work on {tenant}",
                where=f"cluster {cluster}",
                why=f"its ledger is {running[name] or 'unknown'}, ours is {ours}",
                next_step="use that ledger, or wait until it is done",
            )


async def plan(fleet: settings.Fleet, request: Request, *, on_wait: OnWait) -> Plan:
    """Ask every cluster at once, and put the plan together. Where one of several clusters cannot
    be asked or cannot say, its share says so; where the only one cannot, its error is raised."""
    from windlass.domain import codec
    from windlass.planner.build import plan_of

    names = request.clusters
    payload = codec.dump(request)
    asked = [ask(fleet, name, "plan", payload, on_wait=on_wait) for name in names]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    shares: list[ClusterPlan] = []
    for name, answer in zip(names, answers, strict=True):
        if isinstance(answer, str):
            shares.append(codec.load(ClusterPlan, answer))
        elif len(names) > 1 and isinstance(answer, UNDISCOVERED):
            shares.append(ClusterPlan(name, (), failure=str(answer)))
        else:
            raise answer
    return plan_of(request, shares, SystemClock().now())


async def start(
    fleet: settings.Fleet,
    made: Plan,
    *,
    name: str | None,
    reason: str,
    who: str,
    command: str,
    supersedes: str = "",
) -> str:
    """Create the campaign in the ledger (which refuses overlaps) and start its workflows."""
    ledger = open_ledger(fleet)
    request = made.request
    draft = CampaignDraft(
        name=name,
        default_name=campaign_name(request.tenants, request.interval, request.mode),
        who=who,
        reason=reason,
        command=command,
        plan_id=ledger.save_plan(made),
        supersedes=supersedes,
    )
    reached = [share.cluster for share in made.clusters if not share.failure]
    clients = {name: await connect(fleet.cluster(name)) for name in reached}
    for cluster, client in clients.items():
        with answering(fleet.cluster(cluster)):
            await _refuse_others(client, ledger, made, cluster)
    campaign = ledger.create_campaign(draft, made).name
    try:
        for cluster, client in clients.items():
            with answering(fleet.cluster(cluster)):
                await _start_cluster(client, campaign, cluster, ledger.ledger_id())
    except Exception:
        ledger.move(Scope(campaign), State.CANCELLED, "its workflows could not be started")
        raise
    return campaign


async def _start_cluster(client: "Client", campaign: str, cluster: str, ledger: str) -> None:
    from temporalio.exceptions import WorkflowAlreadyStartedError

    from windlass.engine.payloads import CampaignInput
    from windlass.engine.worker import task_queue
    from windlass.engine.workflows.campaign import CampaignWorkflow

    try:
        await client.start_workflow(
            CampaignWorkflow.run,
            CampaignInput(campaign, cluster, ledger),
            id=workflow_id(campaign, cluster),
            task_queue=task_queue(cluster),
            memo={"ledger": ledger},
        )
    except WorkflowAlreadyStartedError:
        raise OverlapError(
            f"a campaign {campaign}, from another ledger, is at work",
            where=f"cluster {cluster}",
            next_step="use that ledger, or wait until it is done",
        ) from None


def workflow_id(campaign: str, cluster: str) -> str:
    """The campaign workflow's id on that cluster's Temporal."""
    return f"windlass/{campaign}/{cluster}"


async def cancel(fleet: settings.Fleet, campaign: str, *, who: str, reason: str) -> None:
    """Ask for cancellation: in the ledger, which every activity watches, and of Temporal."""
    ledger = open_ledger(fleet)
    record = ledger.campaign(campaign)
    if record.state.final and record.state is not State.PARKED:
        raise UsageError(
            f"campaign {campaign} has ended: {record.state}",
            next_step=f"windlass report {campaign}",
        )
    before = ledger.move(Scope(campaign), State.CANCELLING, reason)
    ledger.action(Scope(campaign), "cancel", who, reason, str(before), str(State.CANCELLING))
    for cluster in record.clusters:
        await _cancel_cluster(fleet, ledger, campaign, cluster)


async def _cancel_cluster(
    fleet: settings.Fleet, ledger: "SqlLedger", campaign: str, cluster: str
) -> None:
    """A workflow that is not there any more leaves only the books to close."""
    from temporalio.service import RPCError, RPCStatusCode

    client = await connect(fleet.cluster(cluster))
    try:
        await client.get_workflow_handle(workflow_id(campaign, cluster)).cancel()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise refused(fleet.cluster(cluster), error) from error
        ledger.move(Scope(campaign, cluster), State.CANCELLED, "its workflow had already ended")


async def pulse(fleet: settings.Fleet, campaign: str) -> None:
    """Check that the workflows behind a running campaign are alive; raises when one is not."""
    ledger = open_ledger(fleet)
    for view in ledger.status(campaign).clusters:
        if view.state.final:
            continue
        found = await workflow_state(fleet, campaign, view.name)
        if found != "RUNNING" and not ledger.status(campaign).state.final:
            raise WindlassError(
                f"the campaign's workflow is not running ({found}), but its books are open",
                where=workflow_id(campaign, view.name),
                next_step=f"windlass cancel {campaign}, then run it again: what is verified is "
                "not done twice",
            )


async def workflow_state(fleet: settings.Fleet, campaign: str, cluster: str) -> str:
    """Temporal's word for the campaign's workflow on that cluster; `unknown` when it has none."""
    from temporalio.service import RPCError, RPCStatusCode

    client = await connect(fleet.cluster(cluster))
    try:
        found = await client.get_workflow_handle(workflow_id(campaign, cluster)).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return "unknown"
        raise refused(fleet.cluster(cluster), error) from error
    return found.status.name if found.status else "unknown"
