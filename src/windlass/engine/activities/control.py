"""Carrying operators' orders out: reading them, and what they want done on the servers."""

from datetime import timedelta

from temporalio import activity

from windlass.domain.errors import RefusedError, UsageError
from windlass.domain.words import duration
from windlass.engine.activities.cutting import cut
from windlass.engine.activities.desk import Desk
from windlass.engine.activities.watch import translated
from windlass.engine.payloads import (
    CampaignInput,
    CampaignOrders,
    CutInput,
    GroupRef,
    Standing,
    TenantRef,
)


class ControlActivities:
    """Short activities. All are safe to repeat. `windows` and `windows_per_tenant` are the fleet
    file's: no order goes beyond them."""

    def __init__(self, desk: Desk, windows: int, windows_per_tenant: int) -> None:
        self._desk = desk
        self._windows, self._per_tenant = windows, min(windows, windows_per_tenant)

    @activity.defn(name="hear-orders", no_thread_cancel_exception=True)
    @translated
    def hear(self, order: CampaignInput) -> CampaignOrders:
        """What stands ordered on this cluster of the campaign."""
        return self.standing(order.campaign)

    def standing(self, campaign: str) -> CampaignOrders:
        """What stands ordered, with operators' limits within those of the fleet file, and within
        what the servers' health allows: that may be none at all."""
        told = self._desk.ledger.orders(campaign, self._desk.cluster)
        windows = min(self._windows, told.limits.get("windows", self._windows))
        windows = min(windows, told.healthy) if told.healthy is not None else windows
        each = max(1, min(windows, told.limits.get("windows_per_tenant", self._per_tenant)))
        tenants = tuple(
            Standing(
                one.database,
                one.paused,
                one.cancelled,
                one.held,
                one.dropped,
                min([max(1, windows), *(one.limits[n] for n in _COUNTS if n in one.limits)])
                if any(n in one.limits for n in _COUNTS)
                else 0,
            )
            for one in told.tenants
        )
        return CampaignOrders(windows, each, max(1, windows // each), told.paused, tenants)

    @activity.defn(name="rest-group", no_thread_cancel_exception=True)
    @translated
    def rest(self, ref: GroupRef) -> None:
        """Nothing of the group is in flight, and it stands still."""
        self._desk.ledger.group_rests(ref.group)

    @activity.defn(name="drop-group", no_thread_cancel_exception=True)
    @translated
    def drop(self, ref: GroupRef) -> None:
        """Kill what is left of the group on both servers, prove it, sweep, and say so."""
        killed = self._end(ref.group)
        self._desk.ledger.group_cancelled(ref.group)
        text = f"cancelled: {killed} statements were still listed, none is now on either server"
        self._event(ref.tenant, ref.group, "cancelled", text)

    @activity.defn(name="cut-group", no_thread_cancel_exception=True)
    @translated
    def cut(self, order: CutInput) -> None:
        """Put smaller windows in the place of the group's, and say so. Where that cannot be, the
        group stays as it is, and the record tells why."""
        ref = order.tenant
        try:
            text = self._cut(order)
        except (RefusedError, UsageError) as error:
            self._event(ref, order.cut.group, "not split", f"{error.what}: {error.why}")
        else:
            self._event(ref, order.cut.group, "split", text)

    def _cut(self, order: CutInput) -> str:
        ref, told = order.tenant, order.cut
        self._desk.fresh(ref.campaign)
        group = next((g for g in self._desk.tenant(ref).groups if g.id == told.group), None)
        if group is None or not (told.window == "" or told.window in {w.id for w in group.windows}):
            raise UsageError("there is no such group any more", why="it was cut already")
        into = timedelta(seconds=told.into_seconds) if told.into_seconds else None
        rate = self._desk.ledger.rate(ref.cluster, ref.database)
        mode = self._desk.plan(ref.campaign).request.mode
        made = cut(
            self._desk.tenant(ref),
            group,
            mode,
            window=told.window,
            into=into,
            rate=rate[0] if rate else None,
        )
        windows = [w for one in made for w in one.windows]
        shortest = min(w.interval.duration for w in windows).total_seconds()
        text = (
            f"cut by {told.who}: {len(group.windows)} into {len(windows)} windows, the shortest "
            f"{duration(shortest)}, in {len(made)} publish groups"
            + f": {told.why}"
            * bool(told.why)
        )
        self._end(group.id)
        self._desk.ledger.recut(ref.campaign, ref.cluster, ref.database, {group.id: made}, text)
        self._desk.fresh(ref.campaign)
        return text

    def _end(self, group: str) -> int:
        """Nothing of the group is left on either server, and none of its attempts counts."""
        killed = sum(self._desk.kill(one) for one in self._desk.ledger.group_subjects(group))
        self._desk.sweep_group(group)
        return killed

    def _event(self, ref: TenantRef, subject: str, kind: str, text: str) -> None:
        self._desk.ledger.event(ref.campaign, ref.cluster, ref.database, subject, kind, text)


_COUNTS = ("windows", "windows_per_tenant")
