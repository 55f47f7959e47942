"""What operators order: checked and written down in one transaction, and read by the engine."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, literal, select, update

from windlass.domain.blocks import USUAL
from windlass.domain.errors import RefusedError
from windlass.domain.orders import Change, ClusterOrders, Order, TenantWord, Verb
from windlass.domain.record import Scope
from windlass.domain.states import Health, State, allowed
from windlass.ledger import states
from windlass.ledger import tables as t
from windlass.ledger.admission import refuse_overlap
from windlass.ledger.base import Base, campaign_row, found, group_row
from windlass.ledger.campaigns import stored_plan
from windlass.ledger.canaries import canaries_on, open_canaries
from windlass.ledger.database import reads, writes
from windlass.ledger.helm import course_of
from windlass.ledger.journal import insert_action, insert_event, limits_of

OPEN = [str(s) for s in (State.QUEUED, State.RUNNING, *states.STILL)]
BEGUN = {State.RUNNING, State.PAUSING, State.PAUSED, State.CANCELLING}

Deed = Callable[[Connection, Scope, State, Order, datetime], str]
"""Carries an order out on one scope; returns why it is left as it is ('' it is not)."""


class Control(Base):
    """The ports ControlLedger and ControlOperator, but for limits."""

    @writes
    def order(self, connection: Connection, order: Order) -> list[Change]:
        """Carry it out in the record, a change per scope."""
        row = campaign_row(connection, order.campaign, lock=True)
        scopes = [_named(connection, scope) for scope in order.scopes]
        before = [states.state_of(connection, states.level(scope)) for scope in scopes]
        deed, now = DEEDS[order.verb], self._clock.now()
        pairs = list(zip(scopes, before, strict=True))
        left = [deed(connection, scope, state, order, now) for scope, state in pairs]
        if all(left):
            raise _nothing(order, left)
        states.refresh_all(connection, Scope(row.name), now)
        if order.verb is Verb.RETRY:
            again = {
                (one.cluster, one.database)
                for scope in scopes
                for one in states.tenants_with(connection, scope, State.QUEUED)
            }
            plan = stored_plan(connection, row.name)
            refuse_overlap(connection, plan, but=row.name, only=again)
        changes = [
            Change(scope, state, states.state_of(connection, states.level(scope)), why)
            for (scope, state), why in zip(pairs, left, strict=True)
        ]
        for change in changes:
            if not change.left:
                told = (str(order.verb), order.who, order.why)
                ends = (str(change.before), str(change.after))
                insert_action(connection, change.scope, *told, *ends, now)
        return changes

    @reads
    def plan_version(self, connection: Connection, campaign: str) -> int:
        """Grows whenever the campaign's plan changes."""
        of = t.campaign_plans.c
        return int(connection.scalar(select(of.version).where(of.campaign == campaign)) or 0)

    @reads
    def cancelling(
        self,
        connection: Connection,
        campaign: str,
        cluster: str,
        database: str = "",
        subject: str = "",
    ) -> bool:
        """Whether the campaign's share, the tenant, or the subject's group is being cancelled."""
        c, n, w, a = t.campaign_clusters.c, t.tenants.c, t.windows.c, t.attempts.c
        one = literal(1)
        share = select(one).where(
            c.campaign == campaign, c.cluster == cluster, c.ordered == states.CANCEL
        )
        tenant = select(one).where(
            n.campaign == campaign,
            n.cluster == cluster,
            n.database == database,
            n.ordered == states.CANCEL,
        )
        groups = select(a.group_id).where(a.subject == subject)
        group = select(one).where(w.group_id.in_(groups), w.state == str(State.CANCELLING))
        return connection.scalar(share.union_all(tenant, group).limit(1)) is not None

    @reads
    def orders(self, connection: Connection, campaign: str, cluster: str) -> ClusterOrders:
        """What stands ordered on that cluster of the campaign."""
        whole = [Scope(campaign), Scope(campaign, cluster)]
        paused = any(_ordered(connection, scope) == states.PAUSE for scope in whole)
        groups = _ordered_groups(connection, campaign, cluster)
        of = t.tenants.c
        rows = connection.execute(
            select(t.tenants)
            .where(of.campaign == campaign, of.cluster == cluster)
            .order_by(of.position)
        )
        words = (_word(connection, campaign, cluster, row, groups) for row in rows.all())
        merged: dict[str, int] = {}
        for scope in whole:
            merged |= limits_of(connection, scope)
        course = course_of(connection, cluster, self._clock.now())
        told = tuple(w for w in words if w != TenantWord(w.database))
        healthy = course.windows if course and course.limited else None
        spared = course.spared if course else ()
        wants = _wants(connection, cluster)
        gated = bool(open_canaries(connection, campaign))
        canaries = canaries_on(connection, campaign, cluster) if gated else ()
        return ClusterOrders(paused, merged, told, healthy, spared, wants, canaries, gated)

    @reads
    def paces(
        self, connection: Connection, campaign: str, cluster: str, database: str
    ) -> Mapping[str, int]:
        """The ceilings that operators set, by scope, and that of the servers' health."""
        scopes = [Scope(campaign), Scope(campaign, cluster), Scope(campaign, cluster, database)]
        told = {str(scope): limits_of(connection, scope) for scope in scopes}
        rate = "rows_per_second"
        paces = {scope: limits[rate] for scope, limits in told.items() if rate in limits}
        course = course_of(connection, cluster, self._clock.now())
        if course and course.rows_per_second:
            paces[f"health of {cluster}"] = course.rows_per_second
        return paces

    @reads
    def blocks(self, connection: Connection, cluster: str, database: str) -> int:
        """By how much smaller than usual the tenant's blocks are."""
        course = course_of(connection, cluster, self._clock.now())
        return dict(course.blocks).get(database, USUAL) if course else USUAL

    @writes
    def group_rests(self, connection: Connection, group: str) -> None:
        """Where a pause stands over the group, its begun windows are paused."""
        row = group_row(connection, group)
        campaign_row(connection, row.campaign, lock=True)
        tenant = Scope(row.campaign, row.cluster, row.database)
        of = t.windows
        whole = [Scope(row.campaign), Scope(row.campaign, row.cluster), tenant]
        above = any(_ordered(connection, scope) == states.PAUSE for scope in whole)
        begun = of.c.state.in_([str(State.RUNNING), str(State.PAUSING)])
        told = [] if above else [of.c.ordered == states.PAUSE]
        connection.execute(
            update(of)
            .where(of.c.group_id == group, of.c.replaced.is_(False), begun, *told)
            .values(state=str(State.PAUSED))
        )
        states.refresh(connection, tenant, self._clock.now())

    @writes
    def group_cancelled(self, connection: Connection, group: str) -> None:
        """The group's unfinished windows are cancelled."""
        row = group_row(connection, group)
        campaign_row(connection, row.campaign, lock=True)
        of, now = t.windows, self._clock.now()
        connection.execute(
            update(of)
            .where(
                of.c.group_id == group,
                of.c.replaced.is_(False),
                of.c.state.in_([str(s) for s in states.UNFINISHED]),
            )
            .values(state=str(State.CANCELLED), ended_at=now)
        )
        states.refresh(connection, Scope(row.campaign, row.cluster, row.database), now)

    @reads
    def todo(self, connection: Connection, campaign: str, cluster: str, database: str) -> list[str]:
        """Ids of the tenant's groups that have a window still to do, in order of time."""
        w = t.windows.c
        query = (
            select(w.group_id, func.min(w.start_at))
            .where(
                w.campaign == campaign,
                w.cluster == cluster,
                w.database == database,
                w.replaced.is_(False),
                w.state.in_(OPEN),
            )
            .group_by(w.group_id)
            .order_by(func.min(w.start_at))
        )
        return [row.group_id for row in connection.execute(query)]


def _wants(connection: Connection, cluster: str) -> dict[str, int | None]:
    """The campaigns at work there, the oldest first, each with its own limit of windows."""
    of, c = t.campaign_clusters.c, t.campaigns.c
    busy = [str(State.RUNNING), str(State.PARTIAL)]
    names = connection.scalars(
        select(of.campaign)
        .join_from(t.campaign_clusters, t.campaigns, c.name == of.campaign)
        .where(of.cluster == cluster, of.state.in_(busy))
        .order_by(c.number)
    ).all()
    return {
        name: {
            **limits_of(connection, Scope(name)),
            **limits_of(connection, Scope(name, cluster)),
        }.get("windows")
        for name in names
    }


def _nothing(order: Order, left: list[str]) -> RefusedError:
    more = f"; and {len(left) - 3} more" if len(left) > 3 else ""
    return RefusedError(
        f"there is nothing to {order.verb}",
        where=order.campaign,
        why="; ".join(left[:3]) + more,
        next_step=f"windlass status {order.campaign} --windows",
    )


def _named(connection: Connection, scope: Scope) -> Scope:
    """A window's scope with the tenant that it belongs to."""
    if not scope.window:
        return scope
    of = t.windows.c
    query = select(t.windows).where(of.id == scope.window, of.campaign == scope.campaign)
    row = found(connection.execute(query).first(), "window", scope.window)
    return Scope(row.campaign, row.cluster, row.database, row.id)


def _ordered(connection: Connection, scope: Scope) -> str:
    at = states.level(scope)
    return str(connection.scalar(select(at.table.c.ordered).where(at.where)) or "")


def _above(scope: Scope) -> list[Scope]:
    """What the scope is part of, the campaign first."""
    whole = [Scope(scope.campaign)] if scope.cluster else []
    whole += [Scope(scope.campaign, scope.cluster)] if scope.database else []
    return whole + ([Scope(scope.campaign, scope.cluster, scope.database)] if scope.window else [])


def _pause(connection: Connection, scope: Scope, state: State, order: Order, now: datetime) -> str:
    if state.final or state is State.CANCELLING:
        return f"{scope} is {state}"
    states.order(connection, scope, states.PAUSE)
    if scope.window:
        states.move_windows(connection, scope, [State.QUEUED], State.PAUSED, now)
        states.move_windows(connection, scope, [State.RUNNING], State.PAUSING, now)
    return ""


def _resume(connection: Connection, scope: Scope, state: State, order: Order, now: datetime) -> str:
    for whole in _above(scope):
        if _ordered(connection, whole) == states.PAUSE:
            return f"{whole} is paused as a whole: resume that"
    if not states.ordered_below(connection, scope, states.PAUSE):
        return f"{scope} is {state}, not paused"
    states.order(connection, scope, "")
    states.let_go(connection, scope, now)
    return ""


def _cancel(connection: Connection, scope: Scope, state: State, order: Order, now: datetime) -> str:
    if scope.window:
        return _cancel_group(connection, scope, state, now)
    if not allowed(state, State.CANCELLING):
        return f"{scope} is {state}"
    states.move(connection, scope, State.CANCELLING, order.why, now)
    return ""


def _cancel_group(connection: Connection, scope: Scope, state: State, now: datetime) -> str:
    """What has begun must be proven dead first; the rest of it ends with it."""
    if state in {State.DONE, State.CANCELLED}:
        return f"{scope} is {state}"
    begun = any(one in BEGUN for one in states.window_states(connection, scope))
    states.order(connection, scope, states.CANCEL)
    after = State.CANCELLING if begun else State.CANCELLED
    states.move_windows(connection, scope, states.UNFINISHED, after, now)
    return ""


def _retry(connection: Connection, scope: Scope, state: State, order: Order, now: datetime) -> str:
    if state is State.UNKNOWN:
        return f"{scope} is {state}: nothing was planned there; run the range on it again"
    tenants = states.tenants_with(connection, scope, State.PARKED)
    moved = states.move_windows(connection, scope, [State.PARKED], State.QUEUED, now, "")
    unproven = states.requeue_unproven(connection, scope)
    if not moved and not unproven:
        return f"nothing of {scope} is parked, or published without being verified"
    for one in dict.fromkeys([*tenants, *unproven]):
        at = states.level(one)
        values = {"note": "", "health": str(Health.HEALTHY)}
        connection.execute(update(at.table).where(at.where).values(values))
        text = f"retried by {order.who}" + (f": {order.why}" if order.why else "")
        insert_event(connection, one, scope.window, "retried", text, now)
    return ""


DEEDS: Mapping[Verb, Deed] = {
    Verb.PAUSE: _pause,
    Verb.RESUME: _resume,
    Verb.CANCEL: _cancel,
    Verb.RETRY: _retry,
}

Groups = Mapping[tuple[str, str], tuple[str, ...]]
"""`{(database, order): groups}`"""


def _ordered_groups(connection: Connection, campaign: str, cluster: str) -> Groups:
    w = t.windows.c
    query = (
        select(w.database, w.ordered, w.group_id)
        .where(
            w.campaign == campaign,
            w.cluster == cluster,
            w.ordered != "",
            w.replaced.is_(False),
            w.state.in_([str(s) for s in states.UNFINISHED]),
        )
        .distinct()
        .order_by(w.group_id)
    )
    made: dict[tuple[str, str], tuple[str, ...]] = defaultdict(tuple)
    for row in connection.execute(query):
        made[row.database, row.ordered] += (row.group_id,)
    return made


def _word(
    connection: Connection, campaign: str, cluster: str, row: Row[Any], groups: Groups
) -> TenantWord:
    ended = State(row.state).final
    return TenantWord(
        row.database,
        row.ordered == states.PAUSE and not ended,
        row.ordered == states.CANCEL and not ended,
        groups.get((row.database, states.PAUSE), ()),
        groups.get((row.database, states.CANCEL), ()),
        limits_of(connection, Scope(campaign, cluster, row.database)),
    )
