"""Questions that an operator's machine cannot ask the databases itself."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from windlass.engine.activities.errands import ErrandActivities
    from windlass.engine.payloads import CheckInput, ErrandInput
    from windlass.engine.retry import DATA, books, data


@workflow.defn(name="windlass-errand")
class ErrandWorkflow:
    """plan, verify, affected, doctor: the request and its answer live in the ledger."""

    @workflow.run
    async def run(self, order: ErrandInput) -> None:
        """Answer the request; a failure is an answer too, so that only a worker that died over it
        is followed by another one."""
        await workflow.execute_activity_method(ErrandActivities.answer, order, **data())


@workflow.defn(name="windlass-check")
class CheckWorkflow:
    """One run of a scheduled verification: drawn up in the ledger, then answered as any other."""

    @workflow.run
    async def run(self, order: CheckInput) -> None:
        """Make the request, answer it; the outcome is in the ledger."""
        errand = await workflow.execute_activity_method(
            ErrandActivities.begin_check, order, **books()
        )
        await workflow.execute_activity_method(ErrandActivities.answer, errand, **data(DATA))
