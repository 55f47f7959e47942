"""Scripted activities under the real names, and a worker that runs the real workflows on them."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from windlass.domain.errors import WindlassError
from windlass.engine.activities.watch import application_error, translated
from windlass.engine.payloads import (
    CampaignInput,
    CampaignOrder,
    CampaignOrders,
    CutInput,
    GroupOrder,
    GroupRef,
    GroupWork,
    HoldInput,
    Load,
    LoadInput,
    Read,
    Settled,
    SnapshotReady,
    SnapshotRef,
    TenantOrder,
    TenantRef,
    Trouble,
)
from windlass.engine.retry import BEAT
from windlass.engine.worker import PURE, signals
from windlass.engine.workflows.campaign import CampaignWorkflow
from windlass.engine.workflows.tenant import TenantWorkflow

GROUPS = (
    GroupOrder("c/acme_voice/group-1", ("c/acme_voice/w1", "c/acme_voice/w2"), True),
    GroupOrder("c/acme_voice/group-2", ("c/acme_voice/w3",), True),
)


@dataclass
class Script:
    """What happened, and what shall go wrong: `{activity or window: errors to raise in turn}`."""

    signal: Callable[[str, SnapshotReady], None]
    groups: tuple[GroupOrder, ...] = GROUPS
    errors: dict[str, list[WindlassError]] = field(default_factory=dict)
    block: set[str] = field(default_factory=set)
    again: int = 0
    reads: int = 0
    heard: int = 0
    fails_when_cancelled: WindlassError | None = None
    databases: tuple[str, ...] = ("acme_voice",)
    orders: CampaignOrders = field(default_factory=lambda: CampaignOrders(4, 2, 2))
    todo: tuple[GroupOrder, ...] = ()
    first: tuple[str, ...] = ()
    told: list[str] = field(default_factory=list)
    blocked: threading.Event = field(default_factory=threading.Event)
    loading: Counter[str] = field(default_factory=Counter)
    snapshots: Counter[str] = field(default_factory=Counter)
    closed: list[str] = field(default_factory=list)

    def _tell(self, what: str) -> None:
        self.told.append(what)
        for key in (what, what.split(" ", maxsplit=1)[0]):
            if self.errors.get(key):
                raise self.errors[key].pop(0)

    @activity.defn(name="open-campaign")
    def open_campaign(self, order: CampaignInput) -> CampaignOrder:
        now = self.orders
        return CampaignOrder(
            "scorecards",
            tuple(name for name in self.databases if name not in self.closed),
            now.tenants_at_once,
            now.windows_per_tenant,
            now,
            self.first,
        )

    @activity.defn(name="close-cluster")
    def close_campaign(self, order: CampaignInput) -> None:
        self._tell("close-cluster")

    @activity.defn(name="open-tenant")
    def open_tenant(self, tenant: TenantRef) -> TenantOrder:
        self._tell(f"open {tenant.database}")
        groups, self.groups = self.groups, self.todo or self.groups
        return TenantOrder(groups, left=bool(self.todo))

    @activity.defn(name="close-tenant")
    def close_tenant(self, tenant: TenantRef) -> None:
        self._tell("close-tenant")
        self.closed.append(tenant.database)

    @activity.defn(name="close-cancelled")
    def close_cancelled(self, tenant: TenantRef) -> None:
        self._tell("close-cancelled")

    @activity.defn(name="park-group")
    def park(self, trouble: Trouble) -> None:
        self._tell(f"park {trouble.group or 'tenant'}: {trouble.text.splitlines()[0]}")

    @activity.defn(name="note-retry")
    def note_retry(self, trouble: Trouble) -> None:
        self._tell(f"retry {trouble.group}")

    @activity.defn(name="hear-orders")
    def hear(self, order: CampaignInput) -> CampaignOrders:
        self.heard += 1
        return self.orders

    @activity.defn(name="rest-group")
    def rest(self, ref: GroupRef) -> None:
        self._tell(f"rest {ref.group}")

    @activity.defn(name="drop-group")
    def drop(self, ref: GroupRef) -> None:
        self._tell(f"drop {ref.group}")

    @activity.defn(name="cut-group")
    def cut(self, order: CutInput) -> None:
        self._tell(f"cut {order.cut.group}")

    @activity.defn(name="hold-snapshot", no_thread_cancel_exception=True)
    @translated
    def hold(self, order: HoldInput) -> None:
        self.snapshots[order.group.group] += 1
        self._tell("hold")
        self.signal(
            activity.info().workflow_id or "",
            SnapshotReady(order.token, SnapshotRef("snap", "2026-01-01T00:00:00+00:00")),
        )
        pause = threading.Event()
        while not activity.is_cancelled():
            activity.heartbeat()
            pause.wait(BEAT.total_seconds() / 10)

    @activity.defn(name="load-window", no_thread_cancel_exception=True)
    @translated
    def load(self, order: LoadInput) -> Load:
        self._tell(f"load {order.window}")
        pause = threading.Event()
        self.loading[order.group.tenant.database] += 1
        try:
            while order.window in self.block and not activity.is_cancelled():
                self.blocked.set()
                activity.heartbeat()
                pause.wait(BEAT.total_seconds() / 10)
        finally:
            self.loading[order.group.tenant.database] -= 1
        if activity.is_cancelled() and self.fails_when_cancelled:
            raise self.fails_when_cancelled
        return Load(order.window, 1, tuple(_read(number) for number in range(self.reads)))

    @activity.defn(name="guard-removal")
    @translated
    def guard(self, work: GroupWork) -> None:
        self._tell(f"guard {work.group.group}")

    @activity.defn(name="publish-group")
    @translated
    def publish(self, work: GroupWork) -> None:
        self._tell(f"publish {work.group.group} {sorted(load.window for load in work.loads)}")
        pause = threading.Event()
        while f"publish {work.group.group}" in self.block:
            pause.wait(BEAT.total_seconds() / 10)

    @activity.defn(name="settle-group")
    @translated
    def settle(self, work: GroupWork) -> Settled:
        self._tell(f"settle {work.group.group}{' final' if work.final else ''}")
        self.again -= 1
        return Settled("verified", again=self.again >= 0 and not work.final)

    def worker(self, client: Client, queue: str) -> Worker:
        """A worker that serves the queue with these activities."""
        return Worker(
            client,
            task_queue=queue,
            workflows=[CampaignWorkflow, TenantWorkflow],
            activities=[
                self.open_campaign,
                self.close_campaign,
                self.open_tenant,
                self.close_tenant,
                self.close_cancelled,
                self.park,
                self.note_retry,
                self.hear,
                self.rest,
                self.drop,
                self.cut,
                self.hold,
                self.load,
                self.guard,
                self.publish,
                self.settle,
            ],
            activity_executor=ThreadPoolExecutor(16),
            max_concurrent_activities=16,
            max_heartbeat_throttle_interval=BEAT / 10,
            workflow_runner=SandboxedWorkflowRunner(
                restrictions=SandboxRestrictions.default.with_passthrough_modules(*PURE)
            ),
        )


def _read(number: int) -> Read:
    """As a table's looks."""
    return Read(f"table_{number}", number, str(hash((number, number)) << 64))


def scripted(client: Client, **wanted: object) -> Script:
    """A script whose holder signals through that client. Needs a running loop."""
    asyncio.get_running_loop()
    return Script(signals(client), **wanted)  # type: ignore[arg-type]


__all__ = ["GROUPS", "Script", "application_error", "scripted"]
