"""What was kept, what was undone, and whose work is over."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from windlass.domain.codec import dump, load
from windlass.domain.plan import GroupPlan
from windlass.domain.record import Scope
from windlass.domain.states import State
from windlass.domain.undo import (
    GroupUndo,
    KeptRecord,
    KeptTable,
    Prints,
    UndoOrder,
    UndoRecord,
)
from windlass.ledger import tables as t
from windlass.ledger import undo_tables as u
from windlass.ledger.base import Base, campaign_row, group_row
from windlass.ledger.campaigns import stored_plan
from windlass.ledger.database import reads, writes
from windlass.ledger.held import void
from windlass.ledger.journal import insert_event
from windlass.planner.undo import why_no_undo

LIVE = "live"
_OPEN = [str(s) for s in State if not s.final]


class Undo(Base):
    """The ports UndoLedger and UndoReader."""

    @writes
    def record_kept(self, connection: Connection, record: KeptRecord) -> KeptRecord:
        """Recorded once per group and table: returns the record that stands."""
        of = u.kept
        group_row(connection, record.group)
        where = [of.c.group_id == record.group, of.c.table_name == record.table]
        if connection.execute(select(of).where(*where)).first() is None:
            connection.execute(
                insert(of).values(
                    group_id=record.group,
                    table_name=record.table,
                    cluster=record.cluster,
                    database=record.database,
                    name=record.kept.name,
                    before=dump(dict(record.kept.before)),
                    bytes=record.kept.bytes,
                    why_not=record.why_not,
                    kept_at=record.kept_at,
                )
            )
        return _kept(connection.execute(select(of).where(*where)).one())

    @reads
    def kept(self, connection: Connection, group: str) -> list[KeptRecord]:
        """What was kept for the group, one record per table."""
        query = select(u.kept).where(u.kept.c.group_id == group).order_by(u.kept.c.table_name)
        return [_kept(row) for row in connection.execute(query)]

    @reads
    def kept_on(self, connection: Connection, cluster: str = "") -> list[KeptRecord]:
        """All kept tables of the cluster ('' any) that were not dropped yet, oldest first."""
        of = u.kept.c
        query = (
            select(u.kept)
            .where(of.dropped_at.is_(None), of.name != "")
            .order_by(of.kept_at, of.group_id, of.table_name)
        )
        query = query.where(of.cluster == cluster) if cluster else query
        return [_kept(row) for row in connection.execute(query)]

    @writes
    def record_after(self, connection: Connection, group: str, table: str, after: Prints) -> None:
        """How live looked once the group had settled; repeating replaces."""
        self._set_kept(connection, group, table, {"after": dump(dict(after))})

    @writes
    def record_kept_dropped(self, connection: Connection, group: str, table: str, why: str) -> None:
        """The kept table is gone."""
        values = {"dropped_at": self._clock.now(), "dropped_why": why}
        self._set_kept(connection, group, table, values)

    @reads
    def undo(self, connection: Connection, group: str) -> UndoRecord | None:
        """The group's undo, if one ever began."""
        row = connection.execute(select(u.undos).where(u.undos.c.group_id == group)).first()
        return _undo(row) if row else None

    @writes
    def undo_begun(self, connection: Connection, group: str, order: UndoOrder) -> None:
        """From now on nothing that was verified in the group's range holds."""
        row, of = group_row(connection, group), u.undos
        void(connection, campaign_row(connection, row.campaign), row, _reason(row.campaign, order))
        values = {
            "order_id": order.id,
            "who": order.who,
            "why": order.why,
            "forced": order.force,
            "begun_at": self._clock.now(),
            "ended_at": None,
        }
        where = of.c.group_id == group
        if connection.execute(update(of).where(where).values(values)).rowcount == 0:
            connection.execute(insert(of).values(group_id=group, campaign=row.campaign, **values))

    @writes
    def undo_ended(self, connection: Connection, group: str, text: str) -> None:
        """The group is as it was before its campaign; windows, tenant and an event say so."""
        row, now = group_row(connection, group), self._clock.now()
        where = u.undos.c.group_id == group
        done = connection.execute(select(u.undos).where(where)).one()
        if done.ended_at is not None:
            return
        connection.execute(update(u.undos).where(where).values(ended_at=now))
        said = f"undone {now:%Y-%m-%d %H:%M} UTC by {done.who}" + _because(done.why)
        members = [t.windows.c.group_id == group, t.windows.c.replaced.is_(False)]
        connection.execute(update(t.windows).where(*members).values(note=said))
        scope = Scope(row.campaign, row.cluster, row.database)
        insert_event(connection, scope, group, "undone", f"{said}: {text}", now)
        tenant = [t.tenants.c[name] == row._mapping[name] for name in _TENANT]
        connection.execute(
            update(t.tenants).where(*tenant).values(note=_tenant_note(connection, row))
        )

    @reads
    def standing(self, connection: Connection, attempts: Sequence[tuple[str, int]]) -> list[str]:
        """Per (subject, number): `live`, why it is over, or ''."""
        return [_standing(connection, *one) for one in attempts]

    @reads
    def undo_groups(
        self, connection: Connection, campaign: str, cluster: str = "", database: str = ""
    ) -> list[GroupUndo]:
        """Every publish group that is not cut again, in order of tenant and time."""
        found = groups_of(connection, campaign_row(connection, campaign).name)
        return [
            one for one in found if cluster in {"", one.cluster} and database in {"", one.database}
        ]

    def _set_kept(
        self, connection: Connection, group: str, table: str, values: dict[str, Any]
    ) -> None:
        of = u.kept
        where = [of.c.group_id == group, of.c.table_name == table]
        connection.execute(update(of).where(*where).values(values))


def groups_of(connection: Connection, campaign: str) -> list[GroupUndo]:
    """What can be said of undoing each of the campaign's groups."""
    plan = stored_plan(connection, campaign)
    rows = _Rows(connection, campaign)
    return [
        rows.group(tenant.tenant.cluster, tenant.tenant.database, group)
        for tenant in plan.tenants
        for group in tenant.groups
    ]


_TENANT = ("campaign", "cluster", "database")


def _reason(campaign: str, order: UndoOrder) -> str:
    return f"{campaign} was undone by {order.who}{_because(order.why)}"


def _because(why: str) -> str:
    return f" ({why})" if why else ""


def _tenant_note(connection: Connection, group: Row[Any]) -> str:
    """How much of the tenant was undone."""
    g = t.groups
    mine = [g.c[name] == group._mapping[name] for name in _TENANT]
    groups = select(g.c.id).where(*mine, g.c.replaced.is_(False))
    of = t.windows.c
    windows = select(func.count()).where(of.group_id.in_(groups), of.replaced.is_(False))
    undone = select(u.undos.c.group_id).where(u.undos.c.ended_at.is_not(None))
    many, all_of = (
        connection.scalar(windows.where(of.group_id.in_(undone))),
        connection.scalar(windows),
    )
    return f"{many} of {all_of} windows undone"


def _standing(connection: Connection, subject: str, number: int) -> str:
    a, r = t.attempts.c, t.requests.c
    row = connection.execute(
        select(t.attempts).where(a.subject == subject, a.number == number)
    ).first()
    if row is None:
        state = connection.scalar(select(r.state).where(r.id == subject.rpartition("/")[2]))
        if state is None:
            return ""
        return LIVE if state in {State.QUEUED, State.RUNNING} else "its question was answered"
    last = connection.scalar(select(func.max(a.number)).where(a.subject == subject))
    if last is not None and last > number:
        return f"attempt {number} was given up: {last} came after it"
    return _group_standing(connection, row)


def _group_standing(connection: Connection, attempt: Row[Any]) -> str:
    if attempt.subject == f"{attempt.group_id}/undo":
        ended = select(u.undos.c.ended_at).where(u.undos.c.group_id == attempt.group_id)
        found = connection.execute(ended).first()
        return LIVE if found and found.ended_at is None else "its undo is over"
    state = connection.scalar(
        select(t.campaigns.c.state).where(t.campaigns.c.name == attempt.campaign)
    )
    if state is not None and State(state).final:
        return f"campaign {attempt.campaign} has ended ({state})"
    w = t.windows.c
    still = select(func.count()).where(
        w.group_id == attempt.group_id, w.replaced.is_(False), w.state.in_(_OPEN)
    )
    return LIVE if connection.scalar(still) else "its publish group has ended"


class _Rows:
    """A campaign's windows, kept tables and undos, each read at once and found by group."""

    def __init__(self, connection: Connection, campaign: str) -> None:
        w, g = t.windows.c, t.groups.c
        groups = select(g.id).where(g.campaign == campaign)
        self._windows = _by_group(
            connection.execute(
                select(w.group_id, w.id, w.state)
                .where(w.campaign == campaign, w.replaced.is_(False))
                .order_by(w.start_at)
            )
        )
        self._kept = _by_group(
            connection.execute(
                select(u.kept).where(u.kept.c.group_id.in_(groups)).order_by(u.kept.c.table_name)
            )
        )
        self._undos = _by_group(
            connection.execute(select(u.undos).where(u.undos.c.campaign == campaign))
        )

    def group(self, cluster: str, database: str, plan: GroupPlan) -> GroupUndo:
        """One group."""
        rows = self._windows.get(plan.id, [])
        records = tuple(_kept(row) for row in self._kept.get(plan.id, []))
        undos = self._undos.get(plan.id, [])
        settled = bool(rows) and all(row.state == State.DONE for row in rows)
        return GroupUndo(
            group=plan.id,
            cluster=cluster,
            database=database,
            interval=plan.interval,
            windows=tuple(row.id for row in rows),
            settled=settled,
            kept=records,
            undo=_undo(undos[0]) if undos else None,
            why_not=_why_not(plan, records, settled=settled),
        )


def _by_group(rows: Iterable[Row[Any]]) -> dict[str, list[Row[Any]]]:
    found: dict[str, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(row.group_id, []).append(row)
    return found


def _why_not(plan: GroupPlan, kept: Sequence[KeptRecord], *, settled: bool) -> str:
    """'' where every table of the group was kept and still is."""
    if reason := why_no_undo(plan):
        return reason
    refused = [f"{one.table}: {one.why_not}" for one in kept if one.why_not]
    dropped = [one for one in kept if one.dropped_at is not None]
    if refused:
        return "; ".join(refused)
    if dropped:
        return f"what it replaced was kept until {dropped[0].dropped_at:%Y-%m-%d %H:%M} UTC: " + (
            dropped[0].dropped_why
        )
    if len(kept) < len(plan.tables):
        return (
            "what it replaced was not kept: undo_retention was 0"
            if settled
            else "nothing of it was published"
        )
    return ""


def _kept(row: Row[Any]) -> KeptRecord:
    return KeptRecord(
        group=row.group_id,
        table=row.table_name,
        cluster=row.cluster,
        database=row.database,
        kept=KeptTable(row.name, _prints(row.before), row.bytes),
        kept_at=row.kept_at,
        why_not=row.why_not,
        after=None if row.after is None else _prints(row.after),
        dropped_at=row.dropped_at,
        dropped_why=row.dropped_why,
    )


def _prints(text: str) -> Prints:
    from windlass.domain.results import Digest

    return {name: load(Digest, json.dumps(one)) for name, one in json.loads(text).items()}


def _undo(row: Row[Any]) -> UndoRecord:
    order = UndoOrder(row.order_id, row.who, row.why, row.forced)
    return UndoRecord(row.group_id, order, row.begun_at, row.ended_at)
