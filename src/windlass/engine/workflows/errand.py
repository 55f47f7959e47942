"""Questions that an operator's machine cannot ask the databases itself."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from windlass.engine.activities.errands import ErrandActivities
    from windlass.engine.payloads import ErrandInput
    from windlass.engine.retry import ONCE, data


@workflow.defn(name="windlass-errand")
class ErrandWorkflow:
    """plan, verify, affected, doctor: the request and its answer live in the ledger."""

    @workflow.run
    async def run(self, order: ErrandInput) -> None:
        """Answer the request; a failure is an answer too."""
        await workflow.execute_activity_method(ErrandActivities.answer, order, **data(ONCE))
