"""What people and the engine had to say: events, notes, orders, queries, limits."""

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, insert, or_, select, update

from windlass.domain.record import Event, Note, Scope
from windlass.domain.states import Health, State
from windlass.ledger import states
from windlass.ledger import tables as t
from windlass.ledger.base import Base, campaign_row, put
from windlass.ledger.database import reads, writes

_ILL = (Health.SLOW, Health.STRUGGLING)


class Journal(Base):
    """Words rather than work."""

    @writes
    def move(self, connection: Connection, scope: Scope, state: State, note: str = "") -> State:
        """Move a campaign, cluster, tenant or window; returns the state before."""
        campaign_row(connection, scope.campaign, lock=True)
        return states.move(connection, scope, state, note, self._clock.now())

    @reads
    def paused(
        self, connection: Connection, campaign: str, cluster: str, database: str = ""
    ) -> bool:
        """Whether the campaign, or that part of it, is pausing or paused."""
        scopes = [Scope(campaign), Scope(campaign, cluster)]
        scopes += [Scope(campaign, cluster, database)] if database else []
        levels = [states.level(scope) for scope in scopes]
        orders = [connection.scalar(select(at.table.c.ordered).where(at.where)) for at in levels]
        return states.PAUSE in orders

    @writes
    def event(
        self,
        connection: Connection,
        campaign: str,
        cluster: str,
        database: str,
        subject: str,
        kind: str,
        text: str,
    ) -> None:
        """A problem met, or what was done about it."""
        scope = Scope(campaign, cluster, database)
        insert_event(connection, scope, subject, kind, text, self._clock.now())

    @writes
    def trouble(
        self,
        connection: Connection,
        campaign: str,
        cluster: str,
        database: str,
        subject: str,
        text: str,
    ) -> None:
        """What failed and is tried again: an event, and the tenant's note until work goes on."""
        scope = Scope(campaign, cluster, database)
        insert_event(connection, scope, subject, "retry", text, self._clock.now())
        states.note_trouble(connection, scope, text)

    @reads
    def events(self, connection: Connection, campaign: str, subject: str = "") -> list[Event]:
        """What happened, oldest first; with a window's or group's id only what concerns it."""
        of = t.events.c
        query = select(t.events).where(of.campaign == campaign).order_by(of.id)
        if subject:
            group = select(t.windows.c.group_id).where(t.windows.c.id == subject)
            query = query.where((of.subject == subject) | of.subject.in_(group))
        return [
            Event(r.campaign, r.kind, r.text, r.at, r.cluster, r.database, r.subject)
            for r in connection.execute(query)
        ]

    @writes
    def note(
        self, connection: Connection, campaign: str, who: str, text: str, database: str = ""
    ) -> None:
        """An operator's remark."""
        name = campaign_row(connection, campaign).name
        values = {"campaign": name, "database": database, "who": who, "text": text}
        connection.execute(insert(t.notes).values(**values, at=self._clock.now()))

    @reads
    def notes_on(
        self, connection: Connection, cluster: str, database: str, limit: int = 50
    ) -> list[Note]:
        """What operators wrote down about that tenant in any campaign, the latest first."""
        of, n = t.notes.c, t.tenants.c
        query = (
            select(t.notes)
            .join_from(
                t.notes,
                t.tenants,
                (n.campaign == of.campaign) & (n.database == of.database) & (n.cluster == cluster),
            )
            .where(of.database == database)
            .order_by(of.id.desc())
            .limit(limit)
        )
        rows = connection.execute(query).all()
        return [Note(r.campaign, r.who, r.text, r.at, r.database) for r in rows]

    @writes
    def action(
        self,
        connection: Connection,
        scope: Scope,
        verb: str,
        who: str,
        why: str,
        before: str = "",
        after: str = "",
    ) -> None:
        """An operator's order."""
        name = campaign_row(connection, scope.campaign).name
        of = Scope(name, scope.cluster, scope.database, scope.window)
        insert_action(connection, of, verb, who, why, before, after, self._clock.now())

    @writes
    def query(
        self,
        connection: Connection,
        campaign: str,
        database: str,
        table: str,
        purpose: str,
        server: str,
        sql: str,
    ) -> None:
        """A query that reproduces a figure; repeating replaces."""
        key = {
            "campaign": campaign,
            "database": database,
            "table_name": table,
            "purpose": purpose,
        }
        put(connection, t.queries, key, {"server": server, "sql": sql})

    @writes
    def set_health(
        self,
        connection: Connection,
        campaign: str,
        cluster: str,
        database: str,
        health: Health,
        note: str = "",
    ) -> None:
        """How a tenant fares; the note of one that was worse goes with that."""
        at = states.level(Scope(campaign, cluster, database))
        said = f"{health}: {note}" if note else ""
        values = {"health": str(health)} | ({"note": said} if said else {})
        connection.execute(update(at.table).where(at.where).values(values))
        if health is Health.HEALTHY:
            well_again(connection, at.where)

    @writes
    def set_limited_by(
        self, connection: Connection, campaign: str, cluster: str, reason: str
    ) -> None:
        """What holds the cluster back right now ('' nothing)."""
        at = states.level(Scope(campaign, cluster))
        connection.execute(update(at.table).where(at.where).values(limited_by=reason))

    @writes
    def set_limits(self, connection: Connection, scope: Scope, limits: Mapping[str, int]) -> None:
        """The operator's limits for a campaign, cluster or tenant, over those set before."""
        campaign_row(connection, scope.campaign, lock=True)
        merged = {**limits_of(connection, scope), **limits}
        key = {"campaign": scope.campaign, "cluster": scope.cluster, "database": scope.database}
        put(connection, t.limits, key, {"value": json.dumps(merged)})

    @reads
    def limits(
        self, connection: Connection, campaign: str, cluster: str, database: str = ""
    ) -> Mapping[str, int]:
        """The operator's limits, each from the narrowest scope that sets it."""
        scopes = [Scope(campaign), Scope(campaign, cluster), Scope(campaign, cluster, database)]
        merged: dict[str, int] = {}
        for scope in scopes:
            merged |= limits_of(connection, scope)
        return merged


def well_again(connection: Connection, where: ColumnElement[bool]) -> None:
    """Those tenants are healthy, and no note says otherwise."""
    of = t.tenants
    connection.execute(update(of).where(where).values(health=str(Health.HEALTHY)))
    ill = [of.c.note.startswith(f"{one}: ") for one in _ILL]
    connection.execute(update(of).where(where, or_(*ill)).values(note=""))


def insert_event(
    connection: Connection, scope: Scope, subject: str, kind: str, text: str, at: datetime
) -> None:
    """Write one event."""
    connection.execute(
        insert(t.events).values(
            campaign=scope.campaign,
            cluster=scope.cluster,
            database=scope.database,
            subject=subject,
            kind=kind,
            text=text,
            at=at,
        )
    )


def insert_action(
    connection: Connection,
    scope: Scope,
    verb: str,
    who: str,
    why: str,
    before: str,
    after: str,
    at: datetime,
) -> None:
    """Write one operator's order down."""
    connection.execute(
        insert(t.actions).values(
            campaign=scope.campaign,
            cluster=scope.cluster,
            database=scope.database,
            window_id=scope.window,
            verb=verb,
            who=who,
            why=why,
            before=before,
            after=after,
            at=at,
        )
    )


_LIMITS = select(t.limits.c.value).where(
    *(t.limits.c[name] == bindparam(name) for name in ("campaign", "cluster", "database"))
)


def limits_of(connection: Connection, scope: Scope) -> dict[str, int]:
    """What that very scope sets."""
    where = {"campaign": scope.campaign, "cluster": scope.cluster, "database": scope.database}
    found = connection.scalar(_LIMITS, where)
    return dict(json.loads(found)) if found else {}
