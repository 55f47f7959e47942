"""Carrying operators' orders out: reading them, and what they want done on the servers."""

from dataclasses import replace
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
from windlass.planner.shares import shares
from windlass.planner.struggle import BY_ITSELF, SMALLEST


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
        what the servers' health allows: that may be none at all. Campaigns at work on the
        cluster share its windows out among them."""
        told = self._desk.ledger.orders(campaign, self._desk.cluster)
        total = self._windows if told.healthy is None else min(self._windows, told.healthy)
        wants = {name: min(total, most or total) for name, most in told.wants.items()}
        wants[campaign] = min(total, told.limits.get("windows", total))
        windows = shares(wants, total)[campaign]
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
        tenants = _spared(tenants, told.spared)
        return CampaignOrders(
            windows,
            each,
            max(1, windows // each),
            told.paused,
            tenants,
            told.canaries,
            told.gated,
        )

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
        by_itself = order.cut.who == BY_ITSELF
        try:
            text = self._cut(order)
        except UsageError as error:
            self._event(ref, order.cut.group, "not split", f"{error.what}: {error.why}")
        except RefusedError as error:
            text = f"{error.what}: {error.why}"
            self._event(ref, order.cut.group, "not split", text)
            if by_itself:
                self._give_up(order)
        else:
            self._event(ref, order.cut.group, "split", text)

    def _give_up(self, order: CutInput) -> None:
        """What struggles and cannot be made smaller is the operator's."""
        ref, told = order.tenant, order.cut
        self._end(told.group)
        note = (
            f"{told.why}; it cannot be cut into smaller windows. When the cause is gone: "
            f"windlass retry {ref.campaign} --window {told.window}"
        )
        self._desk.ledger.group_parked(told.group, note)

    def _cut(self, order: CutInput) -> str:
        ref, told = order.tenant, order.cut
        if told.who == BY_ITSELF:
            self._refuse(order)
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

    def _refuse(self, order: CutInput) -> None:
        """A cut that no person asked for is made of what is unfinished, and not too small."""
        if self._desk.ledger.over(order.cut.group):
            raise UsageError("it has come to its end meanwhile", why="nothing is left to cut")
        if order.cut.into_seconds < SMALLEST:
            raise RefusedError(
                f"pieces of {duration(order.cut.into_seconds)} are too small",
                why=f"by itself nothing is cut below {duration(SMALLEST)}",
            )

    def _end(self, group: str) -> int:
        """Nothing of the group is left on either server, and none of its attempts counts."""
        killed = self._desk.kill(*self._desk.ledger.group_subjects(group))
        self._desk.sweep_group(group)
        return killed

    def _event(self, ref: TenantRef, subject: str, kind: str, text: str) -> None:
        self._desk.ledger.event(ref.campaign, ref.cluster, ref.database, subject, kind, text)


def _spared(tenants: tuple[Standing, ...], databases: tuple[str, ...]) -> tuple[Standing, ...]:
    """The same, with one window at a time for these databases."""
    known = {one.database for one in tenants}
    more = tuple(Standing(name) for name in databases if name not in known)
    return tuple(
        replace(one, windows=1) if one.database in databases else one for one in (*tenants, *more)
    )


_COUNTS = ("windows", "windows_per_tenant")
