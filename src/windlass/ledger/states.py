"""Moves and roll-ups: windows decide tenants, tenants clusters, clusters the campaign, unless an
operator's order (pause, cancel) stands there."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, select, update

from windlass.domain.errors import RefusedError, UsageError
from windlass.domain.record import Scope
from windlass.domain.states import TRANSITIONS, Mode, State, Verdict, allowed, roll_up
from windlass.ledger import tables as t
from windlass.ledger import undo_tables as u

PAUSE, CANCEL = "pause", "cancel"
BEGUN = {State.RUNNING, State.PARTIAL}
BUSY = {State.RUNNING, State.PARTIAL, State.PAUSING, State.CANCELLING}
STILL = (State.PAUSING, State.PAUSED)
TROUBLE = "trying again: "
"""How a tenant's note begins while something is tried again."""
UNFINISHED = [s for s in State if s not in {State.DONE, State.CANCELLED, State.NOTHING_TO_DO}]


def settle(ordered: str, parts: Iterable[State]) -> State:
    """The state of a whole out of its parts, under the operator's order ('' none)."""
    states = set(parts)
    rolled = roll_up(sorted(states))
    if not ordered or all(state.final for state in states):
        return rolled
    if ordered == CANCEL:
        return State.CANCELLING
    return State.PAUSING if states & BUSY else State.PAUSED


@dataclass(frozen=True)
class Level:
    """One row that has a state: its table and how it is found."""

    table: Table
    where: ColumnElement[bool]
    name: str


def level(scope: Scope) -> Level:
    """The row that a scope is about."""
    if scope.window:
        return Level(t.windows, t.windows.c.id == scope.window, str(scope))
    if scope.database:
        return Level(t.tenants, _tenant(t.tenants, scope), str(scope))
    if scope.cluster:
        return Level(t.campaign_clusters, _cluster(t.campaign_clusters, scope), str(scope))
    return Level(t.campaigns, t.campaigns.c.name == scope.campaign, str(scope))


def state_of(connection: Connection, at: Level) -> State:
    """The row's state; UsageError where there is no such row."""
    found = connection.scalar(select(at.table.c.state).where(at.where))
    if found is None:
        raise UsageError(f"the ledger has no {at.name!r}", next_step="windlass status --windows")
    return State(found)


def put_state(
    connection: Connection, at: Level, state: State, now: datetime, note: str | None = None
) -> None:
    """Write a state with its times; the caller has checked it. A note of None stays."""
    row = connection.execute(select(at.table).where(at.where)).one()
    values: dict[str, Any] = {} if note is None else {"note": note}
    if state != row.state:
        values |= {"state": str(state), "ended_at": now if state.final else None}
    if state in BEGUN and row.started_at is None:
        values["started_at"] = now
    if values:
        connection.execute(update(at.table).where(at.where).values(values))


def refresh(connection: Connection, scope: Scope, now: datetime) -> State:
    """Roll up from the scope's tenant (where it names one) to the campaign; returns the state
    of what the scope names."""
    states = []
    if scope.database:
        states.append(_settle_tenant(connection, scope, now))
    if scope.cluster:
        of = t.tenants
        parts = _states(connection, of, _cluster(of, scope))
        states.append(_settle(connection, Scope(scope.campaign, scope.cluster), parts, now))
    of = t.campaign_clusters
    parts = _states(connection, of, of.c.campaign == scope.campaign)
    states.append(_settle(connection, Scope(scope.campaign), parts, now))
    return states[0]


def order(connection: Connection, scope: Scope, ordered: str) -> None:
    """Write an operator's order on the scope and every unfinished part of it ('' lifts it). What
    is being cancelled goes on to be, whatever else is ordered."""
    for table, where in _rows(scope):
        stands = [] if ordered == CANCEL else [table.c.ordered != CANCEL]
        connection.execute(
            update(table)
            .where(where, table.c.state.in_([str(s) for s in UNFINISHED]), *stands)
            .values(ordered=ordered)
        )


def ordered_below(connection: Connection, scope: Scope, ordered: str) -> bool:
    """Whether that order stands on the scope or on a part of it."""
    rows = [*_rows(scope), (t.windows, _windows(scope))]
    return any(
        connection.scalar(select(of.c.ordered).where(where, of.c.ordered == ordered).limit(1))
        for of, where in rows
    )


def move_windows(
    connection: Connection,
    scope: Scope,
    before: Iterable[State],
    after: State,
    now: datetime,
    note: str | None = None,
) -> int:
    """Move every window of the scope that stands in one of those states; returns how many."""
    values: dict[str, Any] = {"state": str(after), "ended_at": now if after.final else None}
    if note is not None:
        values["note"] = note
    where = _windows(scope)
    listed = [str(state) for state in before]
    query = update(t.windows).where(where, t.windows.c.state.in_(listed)).values(values)
    return connection.execute(query).rowcount


def let_go(connection: Connection, scope: Scope, now: datetime) -> None:
    """Windows of the scope that stood still go on: loaded ones to their publish, which waited,
    others to the queue."""
    of = t.windows
    where = _windows(scope)
    connection.execute(update(of).where(where, of.c.ordered == PAUSE).values(ordered=""))
    move_windows(connection, scope, [State.PAUSING], State.RUNNING, now)
    paused = of.c.state == str(State.PAUSED)
    loaded = [where, paused, of.c.loaded_at.is_not(None)]
    connection.execute(update(of).where(*loaded).values(state=str(State.RUNNING)))
    move_windows(connection, scope, [State.PAUSED], State.QUEUED, now)


def window_states(connection: Connection, scope: Scope) -> set[State]:
    """The states of the scope's windows."""
    return _states(connection, t.windows, _windows(scope))


def tenants_with(connection: Connection, scope: Scope, state: State) -> list[Scope]:
    """The scope's tenants that have a window in that state."""
    of = t.windows.c
    query = select(of.cluster, of.database).where(_windows(scope), of.state == str(state))
    rows = connection.execute(query.distinct().order_by(of.cluster, of.database)).all()
    return [Scope(scope.campaign, row.cluster, row.database) for row in rows]


def requeue_unproven(connection: Connection, scope: Scope) -> list[Scope]:
    """Windows of the scope that are published, but not verified, are to do again; their tenants.
    Not where publishing adds rows, nor what was undone."""
    of, c = t.windows, t.campaigns.c
    adds = select(c.name).where(c.name == scope.campaign, c.mode == str(Mode.APPEND))
    undone = select(u.undos.c.group_id).where(u.undos.c.campaign == scope.campaign)
    where = and_(
        _windows(scope),
        of.c.state == str(State.DONE),
        of.c.verdict.in_([str(Verdict.MISMATCH), str(Verdict.UNVERIFIED)]),
        of.c.campaign.not_in(adds),
        of.c.group_id.not_in(undone),
    )
    rows = connection.execute(select(of.c.cluster, of.c.database).where(where).distinct()).all()
    values = {"state": str(State.QUEUED), "verdict": None, "ended_at": None, "loaded_at": None}
    connection.execute(update(of).where(where).values(values))
    return sorted((Scope(scope.campaign, row.cluster, row.database) for row in rows), key=str)


def refresh_all(connection: Connection, scope: Scope, now: datetime) -> None:
    """Roll up every tenant of the scope, then what is above."""
    of = t.tenants
    where = of.c.campaign == scope.campaign
    if scope.cluster:
        where = _cluster(of, scope)
    if scope.database:
        where = _tenant(of, scope)
    for row in connection.execute(select(of.c.cluster, of.c.database).where(where)).all():
        _settle_tenant(connection, Scope(scope.campaign, row.cluster, row.database), now)
    of = t.campaign_clusters
    query = select(of.c.cluster).where(of.c.campaign == scope.campaign)
    for cluster in connection.scalars(query).all():
        refresh(connection, Scope(scope.campaign, cluster), now)


def move(connection: Connection, scope: Scope, state: State, note: str, now: datetime) -> State:
    """Make a checked move with all that follows from it; returns the state before."""
    at = level(scope)
    before = state_of(connection, at)
    if before is state:
        return before
    if not allowed(before, state):
        raise RefusedError(
            f"{scope} is {before} and cannot become {state}",
            why=_ways_out(before),
            next_step=f"windlass status {scope.campaign} --windows",
        )
    if scope.window:
        put_state(connection, at, state, now, note or None)
        row = connection.execute(select(t.windows).where(at.where)).one()
        refresh(connection, Scope(row.campaign, row.cluster, row.database), now)
    else:
        _move_whole(connection, scope, state, note or None, now)
    return before


def _ways_out(state: State) -> str:
    ways = ", ".join(TRANSITIONS[state])
    return f"from {state} it can only become {ways}" if ways else f"{state} is the end of it"


def begin(connection: Connection, scope: Scope, now: datetime) -> None:
    """The engine opens a tenant or cluster: running, unless an order or its own progress says
    otherwise."""
    at = level(scope)
    ordered = connection.scalar(select(at.table.c.ordered).where(at.where))
    if not ordered and allowed(state_of(connection, at), State.RUNNING):
        put_state(connection, at, State.RUNNING, now)
        _refresh_above(connection, scope, now)


def _move_whole(
    connection: Connection, scope: Scope, state: State, note: str | None, now: datetime
) -> None:
    if state is State.RUNNING:
        _run(connection, scope, note, now)
        return
    put_state(connection, level(scope), state, now, note)
    if _spread(connection, scope, state, note, now):
        refresh_all(connection, scope, now)
    else:
        _refresh_above(connection, scope, now)


def _spread(
    connection: Connection, scope: Scope, state: State, note: str | None, now: datetime
) -> bool:
    """Take an order down to the windows; False for a state that is no order."""
    match state:
        case State.CANCELLING | State.CANCELLED:
            order(connection, scope, CANCEL)
            _unknown_clusters(connection, scope, State.CANCELLED)
            _cancel_windows(connection, scope, state, now)
        case State.PAUSING | State.PAUSED:
            order(connection, scope, PAUSE)
        case State.QUEUED:
            order(connection, scope, "")
            _unknown_clusters(connection, scope, State.QUEUED)
            move_windows(connection, scope, [State.PARKED], State.QUEUED, now, "")
        case State.PARKED:
            idle = [State.QUEUED, State.RUNNING, *STILL]
            move_windows(connection, scope, idle, State.PARKED, now, note)
        case _:
            return False
    return True


def _cancel_windows(connection: Connection, scope: Scope, state: State, now: datetime) -> None:
    """Cancelling: what runs must be proven dead first, what is parked is at rest already."""
    if state is State.CANCELLED:
        move_windows(connection, scope, UNFINISHED, State.CANCELLED, now)
        return
    move_windows(connection, scope, [State.PARKED], State.CANCELLED, now)
    move_windows(connection, scope, [State.RUNNING], State.CANCELLING, now)


def _run(connection: Connection, scope: Scope, note: str | None, now: datetime) -> None:
    """Resume what was paused: it shows as what its windows are. Else it just starts."""
    at = level(scope)
    if connection.scalar(select(at.table.c.ordered).where(at.where)) == PAUSE:
        order(connection, scope, "")
        put_state(connection, at, State.RUNNING, now, note)
        refresh_all(connection, scope, now)
        return
    put_state(connection, at, State.RUNNING, now, note)
    _refresh_above(connection, scope, now)


def _unknown_clusters(connection: Connection, scope: Scope, state: State) -> None:
    """Clusters whose discovery failed have no tenants that could tell their state."""
    if scope.database:
        return
    of = t.campaign_clusters
    where = _cluster(of, scope) if scope.cluster else of.c.campaign == scope.campaign
    unknown = of.c.state == str(State.UNKNOWN)
    connection.execute(update(of).where(where, unknown).values(state=str(state)))


def _refresh_above(connection: Connection, scope: Scope, now: datetime) -> None:
    if scope.database:
        refresh(connection, Scope(scope.campaign, scope.cluster), now)
    elif scope.cluster:
        refresh(connection, Scope(scope.campaign), now)


def _settle_tenant(connection: Connection, scope: Scope, now: datetime) -> State:
    of = t.windows
    parts = _states(connection, of, and_(_tenant(of, scope), of.c.replaced.is_(False)))
    return _settle(connection, Scope(scope.campaign, scope.cluster, scope.database), parts, now)


def _settle(connection: Connection, scope: Scope, parts: set[State], now: datetime) -> State:
    """Without parts (nothing to do, discovery failed) the state stands."""
    at = level(scope)
    if not parts:
        return state_of(connection, at)
    ordered = connection.scalar(select(at.table.c.ordered).where(at.where)) or ""
    state = settle(ordered, parts)
    put_state(connection, at, state, now)
    return state


def _states(connection: Connection, table: Table, where: ColumnElement[bool]) -> set[State]:
    return {State(s) for s in connection.scalars(select(table.c.state).where(where).distinct())}


def _cluster(table: Table, scope: Scope) -> ColumnElement[bool]:
    return and_(table.c.campaign == scope.campaign, table.c.cluster == scope.cluster)


def _tenant(table: Table, scope: Scope) -> ColumnElement[bool]:
    return and_(_cluster(table, scope), table.c.database == scope.database)


def _windows(scope: Scope) -> ColumnElement[bool]:
    """The windows that count; an order about one is about all of its publish group."""
    of = t.windows
    live = of.c.replaced.is_(False)
    if scope.window:
        other = of.alias()
        group = select(other.c.group_id).where(other.c.id == scope.window).scalar_subquery()
        return and_(of.c.group_id == group, live)
    if scope.database:
        return and_(_tenant(of, scope), live)
    return and_(_cluster(of, scope) if scope.cluster else of.c.campaign == scope.campaign, live)


def _rows(scope: Scope) -> list[tuple[Table, ColumnElement[bool]]]:
    """The rows of the scope, itself and below, that can carry an order. Windows only where the
    order is about them: one from above holds without being written on each."""
    if scope.window:
        return [(t.windows, _windows(scope))]
    if scope.database:
        return [(t.tenants, _tenant(t.tenants, scope))]
    if scope.cluster:
        return [(of, _cluster(of, scope)) for of in (t.tenants, t.campaign_clusters)]
    below = [(of, of.c.campaign == scope.campaign) for of in (t.tenants, t.campaign_clusters)]
    return [*below, (t.campaigns, t.campaigns.c.name == scope.campaign)]


def note_trouble(connection: Connection, scope: Scope, text: str) -> None:
    """The trouble's first line as the tenant's note, unless a reason to be parked stands there."""
    of = t.tenants
    free = (of.c.note == "") | of.c.note.startswith(TROUBLE, autoescape=True)
    note = TROUBLE + text.partition("\n")[0]
    connection.execute(update(of).where(_tenant(of, scope), free).values(note=note))


def trouble_over(connection: Connection, scope: Scope) -> None:
    """Work goes on: the tenant's note says nothing any more of trying again."""
    of = t.tenants
    told = of.c.note.startswith(TROUBLE, autoescape=True)
    connection.execute(update(of).where(_tenant(of, scope), told).values(note=""))
