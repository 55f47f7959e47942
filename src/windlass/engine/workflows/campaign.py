"""One campaign on one cluster: its tenants, some at a time."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import (
    ChildWorkflowError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

with workflow.unsafe.imports_passed_through():
    from windlass.engine.activities.books import BookActivities
    from windlass.engine.payloads import (
        CampaignInput,
        CampaignOrder,
        TenantInput,
        TenantRef,
        Trouble,
    )
    from windlass.engine.retry import LOCK_PAUSES, books
    from windlass.engine.workflows.tenant import TenantWorkflow


def tenant_workflow_id(dataset: str, cluster: str, database: str) -> str:
    """The lock: one workflow per dataset and tenant, whichever campaign it is."""
    return f"windlass/{dataset}/{cluster}/{database}"


@workflow.defn(name="windlass-campaign")
class CampaignWorkflow:
    """Starts tenants under the cluster's limits and closes the books."""

    @workflow.run
    async def run(self, order: CampaignInput) -> None:
        """Run every tenant; then the campaign's state is rolled up in the ledger."""
        plan = await workflow.execute_activity_method(
            BookActivities.open_campaign, order, **books()
        )
        slots = asyncio.Semaphore(plan.tenants_at_once)
        try:
            await asyncio.gather(*(self._tenant(order, plan, d, slots) for d in plan.databases))
        finally:
            await asyncio.shield(asyncio.ensure_future(self._close(order)))

    async def _close(self, order: CampaignInput) -> None:
        await workflow.execute_activity_method(BookActivities.close_campaign, order, **books())

    async def _tenant(
        self, order: CampaignInput, plan: CampaignOrder, database: str, slots: asyncio.Semaphore
    ) -> None:
        tenant = TenantRef(order.campaign, order.cluster, database)
        async with slots:
            try:
                await self._alone(tenant, plan)
            except WorkflowAlreadyStartedError:
                await self._refuse(tenant, "another campaign or an undo is at work on it")
            except ChildWorkflowError as error:
                if is_cancelled_exception(error):
                    raise
                await self._refuse(tenant, f"its workflow failed: {error.cause or error}")

    async def _alone(self, tenant: TenantRef, plan: CampaignOrder) -> None:
        """A campaign whose books are closed may still hold the lock for a moment."""
        for pause in LOCK_PAUSES:
            try:
                return await self._child(tenant, plan)
            except WorkflowAlreadyStartedError:
                await workflow.sleep(pause)
        return await self._child(tenant, plan)

    async def _child(self, tenant: TenantRef, plan: CampaignOrder) -> None:
        await workflow.execute_child_workflow(
            TenantWorkflow.run,
            TenantInput(tenant, plan.windows_per_tenant),
            id=tenant_workflow_id(plan.dataset, tenant.cluster, tenant.database),
            cancellation_type=workflow.ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
            static_summary=f"{tenant.campaign}/{tenant.database}",
        )

    async def _refuse(self, tenant: TenantRef, why: str) -> None:
        trouble = Trouble(tenant, "", "park", why)
        await workflow.execute_activity_method(BookActivities.park, trouble, **books())
