"""A publish group's whole life, on one screen: `Group.rebuild`."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from windlass.domain.errors import (
        CancelledError,
        GroupOverError,
        UnreachableError,
        WindlassError,
    )
    from windlass.engine.activities.books import BookActivities
    from windlass.engine.activities.control import ControlActivities
    from windlass.engine.activities.load import LoadActivities
    from windlass.engine.activities.publish import PublishActivities
    from windlass.engine.activities.snapshot import SnapshotActivities
    from windlass.engine.payloads import (
        GroupOrder,
        GroupRef,
        GroupWork,
        HoldInput,
        Load,
        LoadInput,
        Settled,
        SnapshotReady,
        SnapshotRef,
        TenantRef,
        Trouble,
    )
    from windlass.engine.retry import (
        GROUP_TRIES,
        ONCE,
        OUTAGE,
        PAUSED_SNAPSHOT,
        SETTLE_AGAIN,
        books,
        data,
        pause_before,
    )
    from windlass.engine.workflows.gate import Gate
    from windlass.engine.workflows.slots import Bell


NO_TRY_WHEN_FULL = "no-try-when-history-is-full"
"""Patch: a group is not tried again where the history might not take it."""


NO_MORE = (
    "\n  not tried again by itself: the workflow's history is full, and a retry begins a new one"
)


class SnapshotDied(Exception):
    """The holder ended before its group had loaded."""


class PausedLong(Exception):
    """The group was paused for so long that its snapshot was given up."""


class Group:
    """One publish group inside its tenant's workflow; `gate` bounds the tenant's loads, and lets
    none of them begin while the group is paused. `loading` until all of its windows are staged:
    then it rings `bell`, since another group may begin to load while this one is published.
    Beyond so many `events` of the history it is not tried again."""

    def __init__(
        self,
        tenant: TenantRef,
        order: GroupOrder,
        gate: Gate,
        bell: Bell,
        events: int,
    ) -> None:
        self.order, self.gate, self._bell, self._events = order, gate, bell, events
        self.loading = True
        self.ref = GroupRef(tenant, order.id)
        self._ready: dict[str, SnapshotRef] = {}
        self._holders: list[workflow.ActivityHandle[None]] = []
        self._settled = self._at_work = 0
        self._rested = -1
        self._begun: GroupWork | None = None

    def snapshot_ready(self, word: SnapshotReady) -> None:
        """The holder's signal."""
        self._ready[word.token] = word.snapshot

    async def run(self) -> None:
        """Rebuild; try again what may pass by itself, park the rest for the operator."""
        try:
            await self._try()
        except (Exception, asyncio.CancelledError):
            await self._let_go()
            raise
        await self._let_go()

    async def _let_go(self) -> None:
        """Wait until no snapshot is held. Not in a `finally`: a workflow that a worker merely
        forgets is closed where nothing can be waited for."""
        await asyncio.gather(*self._holders, return_exceptions=True)

    async def _try(self) -> None:
        """A server that is away is waited for: those tries are not counted, for a few hours."""
        failed, began = 0, workflow.now()
        for attempt in count(1):
            await self._unpaused()
            try:
                if await self._settle_down(attempt):
                    return
            except PausedLong:
                continue
            except (ActivityError, SnapshotDied) as error:
                if is_end(error):
                    raise
                if told_to_end():
                    # What hung had to time out before it could be cancelled.
                    raise asyncio.CancelledError from error
                if is_caused_by(error, GroupOverError):
                    return
                failed += not (
                    is_caused_by(error, UnreachableError) and workflow.now() - began < OUTAGE
                )
                if not passes_by_itself(error) or failed == GROUP_TRIES:
                    await self._park(error)
                    return
                if self._full():
                    await self._park(error, NO_MORE)
                    return
                await self._note_retry(error, attempt)
                await workflow.sleep(pause_before(attempt))

    def _full(self) -> bool:
        """Whether another try might be more than the history takes: Temporal would end the whole
        tenant. Once the operator retries the group, it goes on in a new history."""
        events = workflow.info().get_current_history_length()
        return events > self._events and workflow.patched(NO_TRY_WHEN_FULL)

    async def _settle_down(self, attempt: int) -> bool:
        """Whether the group came to rest; False: the source changed, and it is worth another."""
        final = self._settled >= SETTLE_AGAIN or self._full()
        settled = await self.rebuild(f"{self.order.id}#{attempt}", final)
        self._settled += 1
        return not settled.again

    async def rebuild(self, token: str, final: bool = False) -> Settled:
        """Snapshot, load, guard, publish, settle: each step is safe to repeat. So are all of
        them together, but not where publishing adds rows: a group that has begun to append goes
        on with what it loaded, since rows loaded anew would be appended a second time."""
        work = self._begun or await self._prepared(token, final)
        await self._unpaused()
        if self.order.once:
            self._begun = work
        with self._working():
            publish, settle = PublishActivities.publish, PublishActivities.settle
            expected = await workflow.execute_activity_method(publish, work, **data())
            work = replace(work, expected=expected)
            return await workflow.execute_activity_method(settle, work, **data())

    async def _prepared(self, token: str, final: bool) -> GroupWork:
        """All windows staged and proven, and nothing that forbids to publish them."""
        self.loading = True
        async with self._snapshot(token) as snapshot:
            loads = await self._load_all(snapshot)
            self.loading = False
            self._bell.ring()
            work = GroupWork(self.ref, loads, snapshot, final)
            with self._working():
                await workflow.execute_activity_method(PublishActivities.guard, work, **data())
        return work

    async def _load_all(self, snapshot: SnapshotRef) -> tuple[Load, ...]:
        """All windows of the group, as slots allow; one that fails stops the others."""
        tasks = [asyncio.create_task(self._load(w, snapshot)) for w in self.order.windows]
        try:
            return tuple(await asyncio.gather(*tasks))
        except (Exception, asyncio.CancelledError):
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    async def _load(self, window: str, snapshot: SnapshotRef) -> Load:
        await self._slot()
        try:
            with self._working():
                return await workflow.execute_activity_method(
                    LoadActivities.load,
                    LoadInput(self.ref, window, snapshot),
                    summary=window,
                    **data(),
                )
        finally:
            self.gate.slots.release()

    async def _slot(self) -> None:
        """A slot of the tenant's, taken while nothing has the group stand still."""
        while True:
            await self._unpaused(PAUSED_SNAPSHOT)
            await self.gate.slots.acquire()
            if not self._closed():
                return
            self.gate.slots.release()

    async def _unpaused(self, patience: timedelta | None = None) -> None:
        """Wait while an operator has the group stand still. PausedLong: longer than `patience`
        after the last of its work has ended."""
        while self._closed():
            await workflow.wait_condition(lambda: not (self._closed() and self._at_work))
            if self._closed():
                await self._stand(patience)

    async def _stand(self, patience: timedelta | None) -> None:
        """Say in the books that nothing of the group is in flight, and wait for another word."""
        turn = self.gate.turn
        if self._rested != turn:
            self._rested = turn
            await workflow.execute_activity_method(ControlActivities.rest, self.ref, **books())
        try:
            await workflow.wait_condition(
                lambda: not self._closed() or self.gate.turn != turn, timeout=patience
            )
        except TimeoutError:
            raise PausedLong(self.order.id) from None

    def _closed(self) -> bool:
        return self.gate.closed(self.order.id)

    @contextmanager
    def _working(self) -> Iterator[None]:
        """Something of the group is in flight: a pause lets it end."""
        self._at_work += 1
        try:
            yield
        finally:
            self._at_work -= 1

    @asynccontextmanager
    async def _snapshot(self, token: str) -> AsyncIterator[SnapshotRef]:
        """One source snapshot, held by an activity for as long as the block runs. Its end is
        not waited for here: publishing needs no snapshot."""
        if not self.order.snapshot:
            yield SnapshotRef()
            return
        holder = workflow.start_activity_method(
            SnapshotActivities.hold, HoldInput(self.ref, token), **data(ONCE)
        )
        try:
            await workflow.wait_condition(lambda: token in self._ready or holder.done())
            if token not in self._ready:
                await holder
                raise SnapshotDied(f"the snapshot of {self.order.id} ended at once")
            yield self._ready[token]
        finally:
            holder.cancel()
            self._holders.append(holder)

    async def _park(self, error: Exception, more: str = "") -> None:
        text = text_of(error) + more
        trouble = Trouble(self.ref.tenant, self.order.id, kind_of(error), text)
        await workflow.execute_activity_method(BookActivities.park, trouble, **data())

    async def _note_retry(self, error: Exception, attempt: int) -> None:
        text = f"try {attempt} of the group ended: {text_of(error)}"
        trouble = Trouble(self.ref.tenant, self.order.id, kind_of(error), text)
        await workflow.execute_activity_method(BookActivities.note_retry, trouble, **books())


def passes_by_itself(error: Exception) -> bool:
    """Whether another try of the whole group may help."""
    return kind_of(error) == "retry"


def told_to_end() -> bool:
    """Whether this task was cancelled from outside, not by what it ran."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def is_end(error: BaseException) -> bool:
    """Whether it was cancelled: by Temporal, or by the ledger's word, which may come first."""
    return is_cancelled_exception(error) or (
        isinstance(error, ActivityError) and is_caused_by(error, CancelledError)
    )


def is_caused_by(error: Exception, kind: type[WindlassError]) -> bool:
    """Whether an activity ended with that error of ours."""
    cause = error.cause if isinstance(error, ActivityError) else error
    return isinstance(cause, ApplicationError) and cause.type == kind.__name__


def kind_of(error: Exception) -> str:
    """retry, park or stop, as the error tree says; what broke without a word may be retried."""
    cause = error.cause if isinstance(error, ActivityError) else error
    if isinstance(cause, ApplicationError) and cause.details:
        return str(cause.details[0])
    return "retry"


def text_of(error: Exception) -> str:
    """The operator's text of an error."""
    cause = error.cause if isinstance(error, ActivityError) else error
    return getattr(cause, "message", None) or str(cause)
