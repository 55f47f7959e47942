"""One tenant: its publish groups in order, some at a time, each on its own."""

import asyncio
from collections.abc import Iterable

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from windlass.engine.activities.books import BookActivities
    from windlass.engine.payloads import GroupOrder, SnapshotReady, TenantInput, TenantRef
    from windlass.engine.retry import books, data
    from windlass.engine.workflows.group import Group

HISTORY_EVENTS = 6_000
"""Where a tenant continues as new: well before Temporal's 10,000 warning."""


@workflow.defn(name="windlass-tenant")
class TenantWorkflow:
    """Its workflow id is the lock on dataset and tenant: no second campaign gets in."""

    def __init__(self) -> None:
        self._groups: dict[str, Group] = {}

    @workflow.signal
    def snapshot_ready(self, word: SnapshotReady) -> None:
        """From the activity that holds a group's snapshot."""
        group = self._groups.get(word.token.rpartition("#")[0])
        if group:
            group.snapshot_ready(word)

    @workflow.run
    async def run(self, order: TenantInput) -> None:
        """All groups; a parked one does not stop the others."""
        try:
            done = await self._run_groups(order)
        except asyncio.CancelledError:
            await self._cancelled(order.tenant)
            raise
        if done is not None:
            workflow.continue_as_new(TenantInput(order.tenant, order.windows_in_flight, done))
        await workflow.execute_activity_method(BookActivities.close_tenant, order.tenant, **books())

    async def _run_groups(self, order: TenantInput) -> int | None:
        """Run from `next_group` on; a number means: continue as new from there."""
        todo = await workflow.execute_activity_method(
            BookActivities.open_tenant, order.tenant, **books()
        )
        slots = asyncio.Semaphore(order.windows_in_flight)
        flight: set[asyncio.Task[None]] = set()
        try:
            for number in range(order.next_group, len(todo.groups)):
                if workflow.info().get_current_history_length() > HISTORY_EVENTS:
                    await _drain(flight)
                    return number
                flight = await _room(flight, order.windows_in_flight)
                flight.add(self._start(order.tenant, todo.groups[number], slots))
            await _drain(flight)
        except BaseException:
            await _cancel(flight)
            raise
        return None

    def _start(
        self, tenant: TenantRef, order: GroupOrder, slots: asyncio.Semaphore
    ) -> asyncio.Task[None]:
        group = self._groups[order.id] = Group(tenant, order, slots)
        return asyncio.create_task(group.run())

    async def _cancelled(self, tenant: TenantRef) -> None:
        """Prove that nothing of ours is left on either server, then say so."""
        await workflow.execute_activity_method(BookActivities.close_cancelled, tenant, **data())


async def _room(flight: set[asyncio.Task[None]], limit: int) -> set[asyncio.Task[None]]:
    """Wait until fewer than `limit` groups are in flight; raises what a group raised."""
    while len(flight) >= limit:
        done, rest = await workflow.wait(flight, return_when=asyncio.FIRST_COMPLETED)
        _raise_first(done)
        flight = set(rest)
    return flight


async def _drain(flight: set[asyncio.Task[None]]) -> None:
    if flight:
        done, _ = await workflow.wait(flight)
        _raise_first(done)


async def _cancel(flight: set[asyncio.Task[None]]) -> None:
    for task in flight:
        task.cancel()
    if flight:
        await workflow.wait(flight)


def _raise_first(done: Iterable[asyncio.Task[None]]) -> None:
    for task in done:
        task.result()
