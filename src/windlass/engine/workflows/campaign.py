"""One campaign on one cluster: its tenants, some at a time, and what operators want of it."""

import asyncio
from dataclasses import replace

from temporalio import workflow
from temporalio.exceptions import (
    ChildWorkflowError,
    FailureError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

with workflow.unsafe.imports_passed_through():
    from windlass.engine.activities.books import BookActivities
    from windlass.engine.activities.control import ControlActivities
    from windlass.engine.payloads import (
        CampaignInput,
        CampaignOrder,
        CampaignOrders,
        CutInput,
        CutOrder,
        News,
        TenantInput,
        TenantOrders,
        TenantRef,
        Trouble,
    )
    from windlass.engine.retry import LOCK_PAUSES, books, data
    from windlass.engine.workflows.slots import Bell, Slots
    from windlass.engine.workflows.tenant import TenantWorkflow
    from windlass.planner.shares import shares

ALL_CANCELLED = "wait-for-all-cancelled"
"""Since this patch the books close after the last tenant's proof, not after the first one's."""

RENEWS = "campaign-continues-as-new"
"""Patch: a history that has grown long ends once nothing is at work, and a new one begins."""

HISTORY_EVENTS = 6_000
"""Where a campaign continues as new: what is at work then may add as many again, and Temporal ends
a workflow at 51,200."""

Child = workflow.ChildWorkflowHandle[TenantWorkflow, None]


def tenant_workflow_id(dataset: str, cluster: str, database: str) -> str:
    """The lock: one workflow per dataset and tenant, whichever campaign it is."""
    return f"windlass/{dataset}/{cluster}/{database}"


@workflow.defn(name="windlass-campaign")
class CampaignWorkflow:
    """Starts tenants under the cluster's limits, hears operators, and closes the books."""

    def __init__(self) -> None:
        self._slots, self._bell = Slots(0), Bell()
        self._news: list[News] = []
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._children: dict[str, Child] = {}
        self._told: dict[str, TenantOrders] = {}
        self._lent: set[str] = set()
        self._dropped: set[str] = set()
        self._begun: set[str] = set()
        self._places: dict[str, int] = {}
        self._queued: set[str] = set()
        self._renews = False

    @workflow.signal
    def news(self, word: News) -> None:
        """Something was ordered; the ledger says what."""
        self._news.append(word)
        self._bell.ring()

    @workflow.run
    async def run(self, order: CampaignInput) -> None:
        """Run every tenant; then the campaign's state is rolled up in the ledger."""
        self._order = replace(order, news=())
        self._news = [*order.news, *self._news]
        self._plan = await workflow.execute_activity_method(
            BookActivities.open_campaign, self._order, **books()
        )
        self._renews = workflow.patched(RENEWS)
        self._orders = self._plan.orders or _unordered(self._plan)
        self._places = {name: place for place, name in enumerate(self._plan.order)}
        self._slots.set(self._orders.tenants_at_once)
        for database in self._plan.databases:
            self._begin(database)
        self._drop()
        while True:
            try:
                done = await self._until_done()
            except (Exception, asyncio.CancelledError):
                await self._end_all()
                await asyncio.shield(asyncio.ensure_future(self._close()))
                raise
            if not done:
                workflow.continue_as_new(replace(self._order, news=tuple(self._news)))
            await self._close()
            if not self._news:
                return

    async def _close(self) -> None:
        await workflow.execute_activity_method(
            BookActivities.close_campaign, self._order, **books()
        )

    async def _until_done(self) -> bool:
        """Wait for all tenants, and do what is ordered meanwhile; raises what a tenant raised.
        False: the history is long, and all that is left waits to begin."""
        while self._tasks or self._news:
            await self._hear()
            if self._tasks and self._long() and not self._news and self._queued >= set(self._tasks):
                await self._forget_queued()
                return False
            if self._tasks and not self._news:
                waiting = [*self._tasks.values(), self._bell.awaited()]
                await workflow.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            ended = {name: task for name, task in self._tasks.items() if task.done()}
            for name in ended:
                self._tasks.pop(name)
            for task in ended.values():
                task.result()
            if ended and self._orders.gated:
                # It may have been the last canary. Those of other clusters the governor tells.
                self._news.append(News())
            await self._share_out()
        return True

    def _long(self) -> bool:
        most = self._order.events or HISTORY_EVENTS
        return self._renews and workflow.info().get_current_history_length() > most

    async def _forget_queued(self) -> None:
        """In the next run they wait again."""
        for task in self._tasks.values():
            task.cancel()
        if self._tasks:
            await workflow.wait(list(self._tasks.values()))

    async def _end_all(self) -> None:
        """Each tenant proves by itself that nothing of it is left."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            every = workflow.patched(ALL_CANCELLED)
            until = asyncio.ALL_COMPLETED if every else asyncio.FIRST_COMPLETED
            await workflow.wait(tasks, return_when=until)

    def _begin(self, database: str) -> None:
        self._tasks[database] = asyncio.create_task(self._tenant(database))

    async def _tenant(self, database: str) -> None:
        tenant = TenantRef(self._order.campaign, self._order.cluster, database)
        try:
            await self._slot(database)
            try:
                await self._alone(tenant)
            finally:
                self._leave(database)
        except WorkflowAlreadyStartedError:
            await self._refuse(tenant, "another campaign or an undo is at work on it")
        except asyncio.CancelledError:
            if database not in self._dropped:
                raise
            await self._prove(tenant)
        except ChildWorkflowError as error:
            if database in self._dropped:
                if database not in self._begun or not is_cancelled_exception(error):
                    await self._prove(tenant)
                return
            if is_cancelled_exception(error):
                raise
            await self._refuse(tenant, f"its workflow failed: {error.cause or error}")

    async def _slot(self, database: str) -> None:
        """A slot, taken while the tenant may begin: one that is paused, or no canary while those
        are not verified, waits here, and all do before the campaign continues as new."""
        self._queued.add(database)
        try:
            while True:
                if self._waits(database):
                    await workflow.wait_condition(lambda: not self._waits(database))
                await self._slots.acquire(self._place(database))
                if not self._waits(database):
                    return
                self._slots.release()
        finally:
            self._queued.discard(database)

    def _waits(self, database: str) -> bool:
        return self._paused(database) or self._orders.waits(database) or self._ebbs()

    def _ebbs(self) -> bool:
        """Whether what is at work is to end before anything begins. Not for a tenant that is
        paused: that may last for days."""
        return self._long() and not any(self._paused(name) for name in self._children)

    def _place(self, database: str) -> int:
        """The lower, the sooner it gets a slot; all are alike where nobody goes first."""
        return self._places.get(database, len(self._places))

    def _leave(self, database: str) -> None:
        self._children.pop(database, None)
        self._told.pop(database, None)
        if database in self._lent:
            self._lent.discard(database)
        else:
            self._slots.release()

    def _paused(self, database: str) -> bool:
        return self._orders.paused or self._orders.of(database).paused

    async def _alone(self, tenant: TenantRef) -> None:
        """A campaign whose books are closed may still hold the lock for a moment."""
        for pause in LOCK_PAUSES:
            try:
                return await self._child(tenant)
            except WorkflowAlreadyStartedError:
                await workflow.sleep(pause)
        return await self._child(tenant)

    async def _child(self, tenant: TenantRef) -> None:
        database = tenant.database
        orders = self._for([*self._children, database])[database]
        plain = orders == TenantOrders(self._plan.windows_per_tenant)
        child = await workflow.start_child_workflow(
            TenantWorkflow.run,
            TenantInput(
                tenant,
                orders.windows,
                orders=None if plain else orders,
                events=self._order.events,
            ),
            id=tenant_workflow_id(self._plan.dataset, tenant.cluster, database),
            cancellation_type=workflow.ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
            static_summary=f"{tenant.campaign}/{database}",
        )
        self._children[database], self._told[database] = child, orders
        self._begun.add(database)
        await child

    async def _hear(self) -> None:
        """Read what stands ordered, and act on it."""
        while self._news:
            heard, self._news = self._news, []
            self._orders = await workflow.execute_activity_method(
                ControlActivities.hear, self._order, **books()
            )
            self._slots.set(self._orders.tenants_at_once)
            self._lend()
            self._drop()
            again = {name for word in heard for name in word.again}
            cuts = [cut for word in heard for cut in word.cuts]
            await self._share_out(again, cuts)

    def _lend(self) -> None:
        """A paused tenant's slot is for others, until it goes on."""
        for database in self._children:
            paused = self._paused(database)
            if paused and database not in self._lent:
                self._lent.add(database)
                self._slots.release()
            elif not paused and database in self._lent:
                self._lent.discard(database)
                self._slots.retake()

    def _drop(self) -> None:
        """Cancel tenants that are to end by themselves; the others go on."""
        for one in self._orders.tenants:
            task = self._tasks.get(one.database)
            if one.cancelled and task and one.database not in self._dropped:
                self._dropped.add(one.database)
                task.cancel()

    async def _share_out(
        self, again: frozenset[str] | set[str] = frozenset(), cuts: list[CutOrder] | None = None
    ) -> None:
        """Tell each tenant at work what is new for it; begin those that have work anew."""
        for cut in cuts or []:
            if cut.database not in self._children:
                await self._cut(cut)
                again = {*again, cut.database}
        for database, orders in self._for(list(self._children)).items():
            mine = tuple(c for c in cuts or [] if c.database == database)
            word = replace(orders, cuts=mine, again=database in again)
            if word != self._told.get(database):
                await self._tell(database, word)
        for database in sorted(again):
            if database not in self._tasks:
                self._dropped.discard(database)
                self._begin(database)

    async def _tell(self, database: str, word: TenantOrders) -> None:
        """A child that has just ended is begun again where it has something to do anew."""
        child = self._children.get(database)
        if child is None:
            return
        self._told[database] = replace(word, cuts=(), again=False)
        try:
            await child.signal(TenantWorkflow.orders, word)
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            if word.again or word.cuts:
                await workflow.wait([self._tasks[database]])
                self._news.append(News((database,), word.cuts))

    async def _cut(self, cut: CutOrder) -> None:
        """Of a tenant that is not at work nothing is in flight."""
        tenant = TenantRef(self._order.campaign, self._order.cluster, cut.database)
        await workflow.execute_activity_method(
            ControlActivities.cut, CutInput(tenant, cut), summary=cut.group, **data()
        )

    def _for(self, databases: list[str]) -> dict[str, TenantOrders]:
        """What each tenant at work is to do: the cluster's windows shared out among them."""
        orders = self._orders
        standing = {name: orders.of(name) for name in sorted(databases, key=self._place)}
        most = {
            name: one.windows or orders.windows_per_tenant
            for name, one in standing.items()
            if not self._paused(name)
        }
        given = shares(most, orders.windows)
        return {
            name: TenantOrders(
                given.get(name, 0) if name in most else one.windows or orders.windows_per_tenant,
                self._paused(name),
                one.held,
                one.dropped,
            )
            for name, one in standing.items()
        }

    async def _prove(self, tenant: TenantRef) -> None:
        """A tenant that was cancelled before it began."""
        await workflow.execute_activity_method(BookActivities.close_cancelled, tenant, **data())

    async def _refuse(self, tenant: TenantRef, why: str) -> None:
        trouble = Trouble(tenant, "", "park", why)
        await workflow.execute_activity_method(BookActivities.park, trouble, **books())


def _unordered(plan: CampaignOrder) -> CampaignOrders:
    """What an older worker's plan says: so many tenants, each with as many windows as any."""
    windows = plan.tenants_at_once * plan.windows_per_tenant
    return CampaignOrders(windows, plan.windows_per_tenant, plan.tenants_at_once)
