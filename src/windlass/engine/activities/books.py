"""Keeping the books: what a campaign, a tenant, a group is up to, and leaving nothing behind."""

from collections.abc import Sequence

from temporalio import activity

from windlass.domain.errors import WindlassError
from windlass.domain.plan import GroupPlan, Plan
from windlass.domain.states import Mode, State
from windlass.engine.activities.control import ControlActivities
from windlass.engine.activities.desk import Desk
from windlass.engine.activities.tidy import Tidy
from windlass.engine.activities.watch import translated
from windlass.engine.payloads import (
    CampaignInput,
    CampaignOrder,
    GroupOrder,
    TenantOrder,
    TenantRef,
    Trouble,
)
from windlass.planner.stages import LoadWindow, TakeSnapshot, stages


def group_order(group: GroupPlan, mode: Mode) -> GroupOrder:
    """The stages that the plan shows, as the ids that the workflow runs them by."""
    planned = stages(group, mode)
    return GroupOrder(
        group.id,
        tuple(stage.window.id for stage in planned if isinstance(stage, LoadWindow)),
        any(isinstance(stage, TakeSnapshot) for stage in planned),
        once=mode is Mode.APPEND,
    )


class BookActivities:
    """Short activities around the ledger. All are safe to repeat."""

    def __init__(self, desk: Desk, windows: int, windows_per_tenant: int) -> None:
        self._desk = desk
        self._windows, self._per_tenant = windows, min(windows, windows_per_tenant)
        self._control = ControlActivities(desk, windows, windows_per_tenant)

    @activity.defn(name="open-campaign", no_thread_cancel_exception=True)
    @translated
    def open_campaign(self, order: CampaignInput) -> CampaignOrder:
        """The tenants that have something to do, under the cluster's limits."""
        ledger = self._desk.ledger
        self._desk.check_ledger(order.ledger)
        plan = self._desk.plan(order.campaign)
        if ledger.cancelling(order.campaign, order.cluster):
            # Also where the command line gave it up, but its request had come through after all.
            return CampaignOrder(plan.request.dataset.name, (), 1, self._per_tenant)
        here = [t.tenant.database for t in plan.tenants if t.tenant.cluster == order.cluster]
        databases = tuple(d for d in here if ledger.todo(order.campaign, order.cluster, d))
        if self._elsewhere(plan, order):
            self._refuse(order, databases)
            databases = ()
        orders = self._control.standing(order.campaign)
        if not databases or not all(orders.waits(database) for database in databases):
            ledger.cluster_state(order.campaign, order.cluster, State.RUNNING)
        name = plan.request.dataset.name
        ranked = bool(plan.request.canary or plan.request.priority)
        return CampaignOrder(
            name,
            databases,
            orders.tenants_at_once,
            orders.windows_per_tenant,
            orders,
            tuple(here) if ranked else (),
        )

    def _elsewhere(self, plan: Plan, order: CampaignInput) -> bool:
        """Whether the plan was made for another source or target than this worker's."""
        planned = next((c.servers for c in plan.clusters if c.cluster == order.cluster), "")
        return bool(planned and self._desk.servers) and planned != self._desk.servers

    def _refuse(self, order: CampaignInput, databases: Sequence[str]) -> None:
        """The config changed between plan and start: nothing is done that nobody has seen."""
        why = (
            f"the worker of {order.cluster} has another source or target than this was planned "
            f"for. Give it those back and windlass retry {order.campaign}, or windlass cancel "
            f"{order.campaign} and run it again"
        )
        for database in databases:
            self._desk.ledger.tenant_state(
                order.campaign, order.cluster, database, State.PARKED, why
            )

    @activity.defn(name="close-cluster", no_thread_cancel_exception=True)
    @translated
    def close_campaign(self, order: CampaignInput) -> None:
        """Roll the tenants' states up, and close the cluster's books; sweep what is left."""
        self._desk.ledger.cluster_closed(order.campaign, order.cluster)
        tidy = Tidy(self._desk)
        try:
            tidy.sweep(order.campaign)
            tidy.expire()
        except WindlassError as error:
            text = f"what is left of it was not swept: {error}"
            self._desk.ledger.event(order.campaign, order.cluster, "", "", "not swept", text)

    @activity.defn(name="open-tenant", no_thread_cancel_exception=True)
    @translated
    def open_tenant(self, tenant: TenantRef) -> TenantOrder:
        """The tenant's groups that are still to do, in order, by their ids."""
        self._desk.fresh(tenant.campaign)
        todo = set(self._desk.ledger.todo(tenant.campaign, tenant.cluster, tenant.database))
        self._desk.ledger.tenant_state(
            tenant.campaign, tenant.cluster, tenant.database, State.RUNNING
        )
        mode = self._desk.plan(tenant.campaign).request.mode
        groups = [group for group in self._desk.tenant(tenant).groups if group.id in todo]
        return TenantOrder(tuple(group_order(group, mode) for group in groups), left=True)

    @activity.defn(name="close-tenant", no_thread_cancel_exception=True)
    @translated
    def close_tenant(self, tenant: TenantRef) -> None:
        """Set the tenant's state from its windows."""
        self._desk.ledger.tenant_rolled_up(tenant.campaign, tenant.cluster, tenant.database)

    @activity.defn(name="close-cancelled", no_thread_cancel_exception=True)
    @translated
    def close_cancelled(self, tenant: TenantRef) -> None:
        """Kill what is left of the tenant on both servers, prove it, sweep, and say so."""
        ledger = self._desk.ledger
        found = ledger.retire_tenant(tenant.campaign, tenant.cluster, tenant.database)
        killed, swept = self._desk.kill(*found), self._desk.swept(*found)
        ledger.tenant_cancelled(tenant.campaign, tenant.cluster, tenant.database)
        text = (
            f"cancelled: {killed} statements were still listed, none is now on either server; "
            f"{swept} staging tables dropped; published windows stay"
        )
        self._event(tenant, "cancelled", text)

    def _event(self, tenant: TenantRef, kind: str, text: str, subject: str = "") -> None:
        self._desk.ledger.event(
            tenant.campaign, tenant.cluster, tenant.database, subject, kind, text
        )

    @activity.defn(name="park-group", no_thread_cancel_exception=True)
    @translated
    def park(self, trouble: Trouble) -> None:
        """Leave the group (or the whole tenant) to the operator, with the reason; nothing of it
        stays in staging."""
        ref = trouble.tenant
        if not trouble.group:
            self._desk.ledger.tenant_state(
                ref.campaign, ref.cluster, ref.database, State.PARKED, trouble.text
            )
            return
        self._desk.kill(*self._desk.ledger.group_subjects(trouble.group))
        self._desk.sweep_group(trouble.group)
        self._desk.ledger.group_parked(trouble.group, trouble.text)

    @activity.defn(name="note-retry", no_thread_cancel_exception=True)
    @translated
    def note_retry(self, trouble: Trouble) -> None:
        """Write down what went wrong before the group is tried again."""
        self._desk.trouble(trouble.tenant, trouble.group, trouble.text)
