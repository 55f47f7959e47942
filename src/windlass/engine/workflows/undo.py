"""Undo of one tenant: look whether it may be, then group by group, the latest first."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from windlass.engine.activities.undo import UndoActivities
    from windlass.engine.payloads.orders import GroupOutcome, UndoInput, UndoResult, UndoStep
    from windlass.engine.retry import UNDO, data
    from windlass.engine.workflows.group import text_of


@workflow.defn(name="windlass-undo")
class UndoWorkflow:
    """Its workflow id is the tenant's lock: no campaign and no other undo gets in meanwhile."""

    @workflow.run
    async def run(self, order: UndoInput) -> UndoResult:
        """All groups or none where live changed; one that fails does not stop the others."""
        try:
            await workflow.execute_activity_method(UndoActivities.check, order, **data(UNDO))
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return UndoResult(refused=text_of(error))
        return UndoResult(
            tuple([await self._group(order, group) for group in reversed(order.groups)])
        )

    async def _group(self, order: UndoInput, group: str) -> GroupOutcome:
        step = UndoStep(order.tenant, group, order.order)
        try:
            text = await workflow.execute_activity_method(
                UndoActivities.undo, step, summary=group, **data(UNDO)
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return GroupOutcome(group, undone=False, text=text_of(error))
        return GroupOutcome(group, undone=True, text=text)
