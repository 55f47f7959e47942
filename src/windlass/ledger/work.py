"""What the engine writes while it works: attempts, windows, groups, publish steps, states."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, insert, select, update

from windlass.domain.attempt import Attempt
from windlass.domain.codec import dump, load
from windlass.domain.errors import RefusedError
from windlass.domain.record import TIMES, Scope
from windlass.domain.results import Removed, TableCounts, TableLoad
from windlass.domain.states import Mode, State, Verdict, allowed
from windlass.ledger import states
from windlass.ledger import tables as t
from windlass.ledger.base import Base, campaign_row, group_row, put, window_row
from windlass.ledger.canaries import tell_of
from windlass.ledger.database import reads, writes
from windlass.ledger.held import void
from windlass.ledger.journal import insert_event, well_again

PUBLISH = "publish"
SAMPLE_SECONDS = 10
"""Progress remembers a sample that is one to two times that old, for the rate of late."""


class Work(Base):
    """The engine's side of the ledger."""

    @writes
    def begin_attempt(self, connection: Connection, campaign: str, subject: str) -> int:
        """The next attempt number of that subject; 1 for the first."""
        campaign_row(connection, campaign, lock=True)
        of = t.attempts
        last = connection.scalar(
            select(func.coalesce(func.max(of.c.number), 0)).where(of.c.subject == subject)
        )
        number = int(last or 0) + 1
        connection.execute(
            insert(of).values(
                subject=subject,
                number=number,
                campaign=campaign,
                group_id=_group_of(connection, subject),
                begun_at=self._clock.now(),
            )
        )
        return number

    @writes
    def cluster_state(
        self, connection: Connection, campaign: str, cluster: str, state: State, note: str = ""
    ) -> None:
        """Move a campaign's cluster; an operator's order is not overrun."""
        self._move(connection, Scope(campaign, cluster), state, note)

    @writes
    def tenant_state(
        self,
        connection: Connection,
        campaign: str,
        cluster: str,
        database: str,
        state: State,
        note: str = "",
    ) -> None:
        """Move a tenant; an operator's order is not overrun."""
        self._move(connection, Scope(campaign, cluster, database), state, note)

    @writes
    def tenant_rolled_up(
        self, connection: Connection, campaign: str, cluster: str, database: str
    ) -> State:
        """Set the tenant's state from its windows' states, and return it."""
        campaign_row(connection, campaign, lock=True)
        return states.refresh(connection, Scope(campaign, cluster, database), self._clock.now())

    @writes
    def tenant_cancelled(
        self, connection: Connection, campaign: str, cluster: str, database: str
    ) -> None:
        """Unfinished windows and the tenant are cancelled; published windows stay."""
        campaign_row(connection, campaign, lock=True)
        self._cancelled(connection, Scope(campaign, cluster, database))

    @writes
    def cluster_closed(self, connection: Connection, campaign: str, cluster: str) -> State:
        """Nothing of the cluster's work runs any more: roll up, and end what was cancelled."""
        campaign_row(connection, campaign, lock=True)
        scope, now = Scope(campaign, cluster), self._clock.now()
        of = t.campaign_clusters.c
        here = (of.campaign == campaign, of.cluster == cluster)
        connection.execute(update(t.campaign_clusters).where(*here).values(limited_by=""))
        n = t.tenants.c
        done = and_(n.campaign == campaign, n.cluster == cluster, n.state == str(State.DONE))
        well_again(connection, done)
        query = select(of.ordered).where(*here)
        if connection.scalar(query) == states.CANCEL:
            self._cancelled(connection, scope)
        return states.refresh(connection, scope, now)

    @writes
    def window_started(self, connection: Connection, window: str, attempt: int) -> None:
        """The window runs (again); an operator's cancellation is not overrun."""
        row = self._lock_window(connection, window)
        of, now = t.windows, self._clock.now()
        values: dict[str, Any] = {"attempts": attempt, "rows_loaded": 0, "loaded_at": None}
        if row.started_at is None:
            values["started_at"] = now
        if allowed(State(row.state), State.RUNNING):
            state = State.PAUSING if row.ordered == states.PAUSE else State.RUNNING
            values |= {"state": str(state), "note": "", "ended_at": None}
        connection.execute(update(of).where(of.c.id == window).values(values))
        put(connection, t.progress, {"window_id": window}, _first_progress(attempt, 0, now))
        if values.get("state") != str(State.RUNNING) or not _under_way(connection, row):
            self._refresh(connection, row)

    @writes
    def progress(self, connection: Connection, window: str, attempt: int, rows: int) -> None:
        """Rows moved so far by this attempt; an older attempt's word is ignored."""
        of, now = t.progress, self._clock.now()
        row = connection.execute(select(of).where(of.c.window_id == window)).first()
        if row is not None and row.attempt > attempt:
            return
        if row is None or row.attempt < attempt:
            put(connection, of, {"window_id": window}, _first_progress(attempt, rows, now))
            return
        values: dict[str, Any] = {"rows": rows, "at": now}
        if (now - row.middle_at).total_seconds() >= SAMPLE_SECONDS:
            values |= {"before_rows": row.middle_rows, "before_at": row.middle_at}
            values |= {"middle_rows": row.rows, "middle_at": row.at}
        put(connection, of, {"window_id": window}, values)

    @writes
    def window_loaded(
        self, connection: Connection, window: str, rows: int, tables: Sequence[TableLoad] = ()
    ) -> None:
        """All tables staged and proven; it runs until its group is done."""
        now = self._clock.now()
        row = window_row(connection, window)
        for one in tables:
            key = {"window_id": window, "table_name": one.table}
            put(connection, t.window_tables, key, {"rows": one.rows, "seconds": one.seconds})
            if one.stages:
                _time(connection, row, one, now)
        values = {"rows_loaded": rows, "loaded_at": now}
        connection.execute(update(t.windows).where(t.windows.c.id == row.id).values(values))
        states.trouble_over(connection, Scope(row.campaign, row.cluster, row.database))

    @reads
    def table_rows(self, connection: Connection, group: str, table: str) -> int:
        """Rows staged for that table over all windows of the group."""
        of = t.window_tables
        query = (
            select(func.coalesce(func.sum(of.c.rows), 0))
            .join_from(of, t.windows, t.windows.c.id == of.c.window_id)
            .where(
                t.windows.c.group_id == group,
                t.windows.c.replaced.is_(False),
                of.c.table_name == table,
            )
        )
        return int(connection.scalar(query) or 0)

    @reads
    def removed(self, connection: Connection, group: str, table: str) -> Removed | None:
        """What `record_removed` recorded for the table, if anything."""
        of = t.removals.c
        query = select(of.value).where(of.group_id == group, of.table_name == table)
        text = connection.scalar(query)
        return load(Removed, text) if text else None

    @writes
    def record_removed(
        self, connection: Connection, group: str, table: str, removed: Removed
    ) -> None:
        """Rows that are live before publish, and those that will go; repeating replaces."""
        key = {"group_id": group, "table_name": table}
        put(connection, t.removals, key, {"value": dump(removed)})

    @reads
    def publish_begun(self, connection: Connection, group: str, table: str) -> bool:
        """Whether any attempt ever began to publish that table of the group."""
        of = t.steps.c
        query = select(func.count()).where(
            of.group_id == group, of.table_name == table, of.step == PUBLISH
        )
        return bool(connection.scalar(query))

    @writes
    def step_begin(
        self, connection: Connection, group: str, attempt: int, table: str, step: str
    ) -> None:
        """The mark before an effect. From an append's or delete's first mark on, nothing that
        was verified there before can be relied on."""
        row = group_row(connection, group)
        campaign = campaign_row(connection, row.campaign)
        if step == PUBLISH and campaign.mode != Mode.REPLACE:
            void(connection, campaign, row, f"{campaign.mode} by {campaign.name}")
        key = {"group_id": group, "attempt": attempt, "table_name": table, "step": step}
        values = {"begun_at": self._clock.now(), "ended_at": None, "facts": "{}"}
        put(connection, t.steps, key, values)

    @writes
    def step_end(
        self,
        connection: Connection,
        group: str,
        attempt: int,
        table: str,
        step: str,
        facts: Mapping[str, object],
    ) -> None:
        """The mark after it, with facts."""
        key = {"group_id": group, "attempt": attempt, "table_name": table, "step": step}
        values: dict[str, Any] = {"ended_at": self._clock.now(), "facts": dump(dict(facts))}
        of = t.steps
        where = [of.c[name] == value for name, value in key.items()]
        if connection.execute(update(of).where(*where).values(values)).rowcount == 0:
            begun = {"begun_at": values["ended_at"]}
            connection.execute(insert(of).values({**key, **begun, **values}))

    @writes
    def group_done(
        self,
        connection: Connection,
        group: str,
        counts: Sequence[TableCounts],
        verdict: Verdict,
        rows: int,
    ) -> None:
        """Counts per table; every window of the group done with that verdict. The word of one
        who wakes up after the group was cancelled or parked does not count."""
        row, now = self._lock_group(connection, group), self._clock.now()
        if self._given_up(connection, group):
            return
        for position, one in enumerate(counts):
            key = {"group_id": group, "table_name": one.table}
            values = {"position": position, "value": dump(one), "at": now}
            put(connection, t.counts, key, values)
        of = t.windows
        connection.execute(
            update(of)
            .where(of.c.group_id == group, of.c.replaced.is_(False))
            .values(state=str(State.DONE), verdict=str(verdict), ended_at=now, note="", ordered="")
        )
        self._spread_rows(connection, group, rows)
        scope = Scope(row.campaign, row.cluster, row.database)
        states.trouble_over(connection, scope)
        self._refresh(connection, row)
        tell_of(connection, scope, now)

    def _given_up(self, connection: Connection, group: str) -> bool:
        of = t.windows.c
        query = select(of.state).where(of.group_id == group, of.replaced.is_(False))
        found = {State(state) for state in connection.scalars(query)}
        return bool(found) and found <= {State.CANCELLED, State.PARKED}

    @reads
    def group_verdict(self, connection: Connection, group: str) -> Verdict | None:
        """The worst verdict of its windows, once all of them are done."""
        of = t.windows.c
        query = select(of.state, of.verdict).where(of.group_id == group, of.replaced.is_(False))
        rows = connection.execute(query).all()
        if not rows or any(row.state != str(State.DONE) or not row.verdict for row in rows):
            return None
        found = {Verdict(row.verdict) for row in rows}
        return next(v for v in (Verdict.MISMATCH, Verdict.UNVERIFIED, *found) if v in found)

    @writes
    def group_parked(self, connection: Connection, group: str, note: str) -> None:
        """Every unfinished window of the group parked with that note, and an event."""
        row = self._lock_group(connection, group)
        of = t.windows
        open_states = [str(s) for s in (State.QUEUED, State.RUNNING, *states.STILL)]
        connection.execute(
            update(of)
            .where(of.c.group_id == group, of.c.replaced.is_(False), of.c.state.in_(open_states))
            .values(state=str(State.PARKED), note=note, ended_at=self._clock.now())
        )
        scope = Scope(row.campaign, row.cluster, row.database)
        insert_event(connection, scope, group, "parked", note, self._clock.now())
        at = states.level(scope)
        connection.execute(update(at.table).where(at.where).values(note=note))
        self._refresh(connection, row)

    @reads
    def group_subjects(self, connection: Connection, group: str) -> list[Attempt]:
        """All attempts of the group's windows, of the group and of its steps."""
        a = t.attempts.c
        query = select(a.campaign, a.subject, a.number).where(a.group_id == group)
        return [Attempt(*row) for row in connection.execute(query.order_by(a.begun_at, a.subject))]

    def _move(self, connection: Connection, scope: Scope, state: State, note: str) -> None:
        """The engine's word: opening is idempotent, and an operator's order stands above it."""
        campaign_row(connection, scope.campaign, lock=True)
        now, at = self._clock.now(), states.level(scope)
        if state is State.RUNNING:
            states.begin(connection, scope, now)
            return
        ordered = connection.scalar(select(at.table.c.ordered).where(at.where))
        if ordered and not allowed(states.state_of(connection, at), state):
            states.put_state(connection, at, states.state_of(connection, at), now, note)
            return
        states.move(connection, scope, state, note, now)
        if note and scope.database and state is State.PARKED:
            insert_event(connection, scope, "", "parked", note, now)

    def _cancelled(self, connection: Connection, scope: Scope) -> None:
        now = self._clock.now()
        states.order(connection, scope, states.CANCEL)
        states.move_windows(connection, scope, states.UNFINISHED, State.CANCELLED, now)
        states.refresh_all(connection, scope, now)

    def _lock_window(self, connection: Connection, window: str) -> Row[Any]:
        """Under the campaign's lock, so that two roll-ups never cross."""
        campaign_row(connection, window_row(connection, window).campaign, lock=True)
        return window_row(connection, window)

    def _lock_group(self, connection: Connection, group: str) -> Row[Any]:
        row = group_row(connection, group)
        campaign_row(connection, row.campaign, lock=True)
        if row.replaced:
            raise RefusedError(f"{group} was cut again: its old windows change nothing any more")
        return row

    def _refresh(self, connection: Connection, row: Row[Any]) -> None:
        scope = Scope(row.campaign, row.cluster, row.database)
        states.refresh(connection, scope, self._clock.now())

    def _spread_rows(self, connection: Connection, group: str, rows: int) -> None:
        """Where one window is the whole group, what the group says is what the window loaded."""
        of = t.windows
        members = connection.scalars(
            select(of.c.id).where(of.c.group_id == group, of.c.replaced.is_(False))
        ).all()
        if len(members) == 1:
            connection.execute(update(of).where(of.c.id == members[0]).values(rows_loaded=rows))


_PLACE = ("campaign", "cluster", "database")
_TENANT = select(t.tenants.c.state, t.tenants.c.started_at).where(
    *(t.tenants.c[name] == bindparam(name) for name in _PLACE)
)
_ONE_DONE = (
    select(t.windows.c.id)
    .where(
        *(t.windows.c[name] == bindparam(name) for name in _PLACE),
        t.windows.c.state == str(State.DONE),
        t.windows.c.replaced.is_(False),
    )
    .limit(1)
)


def _under_way(connection: Connection, window: Row[Any]) -> bool:
    """Whether the window's tenant is at work: one more that runs changes nothing above it. To
    find out what the tenant is, all its windows would be looked at, each time one starts."""
    where = {name: window._mapping[name] for name in _PLACE}
    row = connection.execute(_TENANT, where).one()
    if row.started_at is None:
        return False
    if State(row.state) is State.PARTIAL:
        return connection.execute(_ONE_DONE, where).first() is not None
    return State(row.state) is State.RUNNING


def _first_progress(attempt: int, rows: int, now: datetime) -> dict[str, Any]:
    return {
        "attempt": attempt,
        "rows": rows,
        "at": now,
        "middle_rows": 0,
        "middle_at": now,
        "before_rows": 0,
        "before_at": now,
    }


def _group_of(connection: Connection, subject: str) -> str:
    """The group that a window, a group, or a step of a group belongs to."""
    group = connection.scalar(select(t.windows.c.group_id).where(t.windows.c.id == subject))
    if group is None:
        names = [subject, subject.rpartition("/")[0]]
        group = connection.scalar(select(t.groups.c.id).where(t.groups.c.id.in_(names)))
    return group or subject


def _time(connection: Connection, window: Row[Any], one: TableLoad, now: datetime) -> None:
    """Where the time of one table's load went."""
    facts = {**one.stages, "rows": one.rows, "seconds": round(one.seconds, 3)}
    key = {"group_id": window.group_id, "attempt": 0, "table_name": one.table}
    values = {"begun_at": now, "ended_at": now, "facts": dump(facts)}
    put(connection, t.steps, key | {"step": f"{TIMES}load {window.id}"}, values)
