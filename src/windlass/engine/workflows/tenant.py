"""One tenant: its publish groups in order, some at a time, each on its own."""

import asyncio
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from windlass.engine.activities.books import BookActivities
    from windlass.engine.activities.control import ControlActivities
    from windlass.engine.payloads import (
        CutInput,
        CutOrder,
        GroupOrder,
        SnapshotReady,
        TenantInput,
        TenantOrders,
        TenantRef,
    )
    from windlass.engine.retry import books, data
    from windlass.engine.workflows.gate import Gate
    from windlass.engine.workflows.group import Group, is_end, told_to_end
    from windlass.engine.workflows.slots import Bell

HISTORY_EVENTS = 6_000
"""Where a tenant continues as new: well before Temporal's 10,000 warning."""

FULL = 5
"""So many times that: a history takes some 50,000, and one more try of the largest group is 17,000
of them. What fails there is not tried again in it."""

WINDOWS_AT_ONCE = 5_600
"""Windows of all groups in flight, some six events each: twice the most that one group has."""

WORD = timedelta(seconds=60)
"""How long a group that was ended by the ledger's word waits for the workflow's."""

LOAD_BESIDE = "load-beside-publish"
"""Patch: a group that is being published keeps no other from loading."""

BOUNDED = "bound-windows-in-flight"
"""Patch: groups wait where those in flight have many windows."""

Flight = asyncio.Task[None]


@workflow.defn(name="windlass-tenant")
class TenantWorkflow:
    """Its workflow id is the lock on dataset and tenant: no second campaign gets in."""

    def __init__(self) -> None:
        self._groups: dict[str, Group] = {}
        self._flight: dict[str, Flight] = {}
        self._queue: deque[GroupOrder] = deque()
        self._gate, self._bell = Gate(), Bell()
        self._orders: TenantOrders | None = None
        self._cuts: list[CutOrder] = []
        self._again = self._left = False
        self._most = HISTORY_EVENTS
        self._unsure: set[str] = set()
        self._dropped: set[str] = set()
        self._beside = True

    @workflow.signal
    def snapshot_ready(self, word: SnapshotReady) -> None:
        """From the activity that holds a group's snapshot."""
        group = self._groups.get(word.token.rpartition("#")[0])
        if group:
            group.snapshot_ready(word)

    @workflow.signal
    def orders(self, word: TenantOrders) -> None:
        """From the campaign: what operators want of this tenant from now on."""
        self._orders = word
        self._cuts += word.cuts
        self._heed(word)
        self._gate.obey(word)
        for group in word.dropped:
            if group in self._flight and group not in self._dropped:
                self._dropped.add(group)
                self._flight[group].cancel()
        self._bell.ring()

    @workflow.run
    async def run(self, order: TenantInput) -> None:
        """All groups; a parked one does not stop the others."""
        if self._orders is None:
            self._gate.obey(order.orders or TenantOrders(order.windows_in_flight))
            self._orders = order.orders
        self._cuts += order.orders.cuts if order.orders else ()
        while True:
            try:
                done = await self._run_groups(order)
            except asyncio.CancelledError:
                await self._cancelled(order.tenant)
                raise
            if done is not None:
                workflow.continue_as_new(self._rest_of(order, done))
            await workflow.execute_activity_method(
                BookActivities.close_tenant, order.tenant, **books()
            )
            if not (self._again or self._cuts):
                return

    def _rest_of(self, order: TenantInput, number: int) -> TenantInput:
        orders = replace(self._orders, cuts=tuple(self._cuts)) if self._orders else None
        return replace(order, next_group=number, orders=orders)

    async def _run_groups(self, order: TenantInput) -> int | None:
        """Run what is to do; a number means: continue as new from that group on."""
        todo = await workflow.execute_activity_method(
            BookActivities.open_tenant, order.tenant, **books()
        )
        self._beside = workflow.patched(LOAD_BESIDE)
        number, self._left = 0 if todo.left else order.next_group, todo.left
        self._most = order.events or HISTORY_EVENTS
        self._queue.extend(todo.groups[number:])
        try:
            while self._queue or self._flight or self._cuts or self._again:
                await self._hear(order.tenant)
                if self._queue and workflow.info().get_current_history_length() > self._most:
                    await self._drain()
                    return 0 if self._left else number
                if self._queue and self._room():
                    number += 1
                    self._start(order.tenant, self._queue.popleft())
                elif self._flight or self._queue:
                    await self._turn()
        except (Exception, asyncio.CancelledError):
            await self._cancel()
            raise
        return None

    def _room(self) -> bool:
        """Whether another group may begin: its snapshot, too, waits while the tenant is paused.
        As many groups as windows may load, and as many again may be published meanwhile."""
        limit = self._gate.slots.limit
        loading = sum(self._groups[name].loading or not self._beside for name in self._flight)
        free = not self._gate.paused and loading < limit and len(self._flight) < 2 * limit
        return free and not self._many()

    def _many(self) -> bool:
        """Whether the next group's windows would be too many beside those in flight."""
        if not self._flight:
            return False
        orders = [*(self._groups[name].order for name in self._flight), self._queue[0]]
        windows = sum(len(one.windows) for one in orders)
        return windows > WINDOWS_AT_ONCE and workflow.patched(BOUNDED)

    def _start(self, tenant: TenantRef, order: GroupOrder) -> None:
        group = self._groups[order.id] = Group(
            tenant, order, self._gate, self._bell, FULL * self._most
        )
        self._flight[order.id] = asyncio.create_task(self._one(group))

    async def _one(self, group: Group) -> None:
        """A group's life, and its end where an operator cancels it alone."""
        name = group.order.id
        try:
            await group.run()
        except (asyncio.CancelledError, ActivityError) as error:
            if not is_end(error):
                raise
            if not told_to_end():
                await self._told(name)
            if name not in self._dropped:
                raise
            await workflow.execute_activity_method(ControlActivities.drop, group.ref, **data())

    async def _told(self, group: str) -> None:
        """An activity has read in the ledger that it is to end; the word for us is on its way."""
        with suppress(TimeoutError, asyncio.CancelledError):
            await workflow.wait_condition(lambda: group in self._dropped, timeout=WORD)

    async def _hear(self, tenant: TenantRef) -> None:
        """Make the cuts that were ordered, and look what there is to do anew."""
        for cut in self._cuts:
            if cut.group in self._flight:
                self._flight[cut.group].cancel()
        while self._cuts:
            await self._cut(tenant, self._cuts.pop(0))
        if self._again:
            self._again, self._left = False, True
            todo = await workflow.execute_activity_method(
                BookActivities.open_tenant, tenant, **books()
            )
            self._queue = deque(g for g in todo.groups if g.id not in self._flight)

    def _heed(self, word: TenantOrders) -> None:
        """Look again what there is to do, and once more when what is in flight now has ended: a
        group that was retried may not have come to its end here yet."""
        if word.again:
            self._again, self._unsure = True, set(self._flight)

    async def _cut(self, tenant: TenantRef, cut: CutOrder) -> None:
        """What is in flight of the group is cancelled and proven dead before it is cut."""
        task = self._flight.get(cut.group)
        if task is not None:
            if not task.done() and not task.cancelling():
                task.cancel()
            await workflow.wait([task])
            self._flight.pop(cut.group)
            if not task.cancelled():
                task.exception()
        await workflow.execute_activity_method(
            ControlActivities.cut, CutInput(tenant, cut), summary=cut.group, **data()
        )
        self._again = True

    async def _turn(self) -> None:
        """Wait until a group has ended or an order has come; raises what a group raised."""
        waiting = [*self._flight.values(), self._bell.awaited()]
        await workflow.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        ended = {name: task for name, task in self._flight.items() if task.done()}
        for name in ended:
            self._flight.pop(name)
            self._again |= name in self._unsure
            self._unsure.discard(name)
        _raise_first(ended.values())

    async def _drain(self) -> None:
        while self._flight:
            await self._turn()

    async def _cancel(self) -> None:
        for task in self._flight.values():
            task.cancel()
        if self._flight:
            await workflow.wait(list(self._flight.values()))

    async def _cancelled(self, tenant: TenantRef) -> None:
        """Prove that nothing of ours is left on either server, then say so."""
        await workflow.execute_activity_method(BookActivities.close_cancelled, tenant, **data())


def _raise_first(done: Iterable[Flight]) -> None:
    for task in done:
        task.result()
