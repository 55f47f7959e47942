"""The chapters of a campaign's facts, as they were written down."""

import json
from typing import Any

from sqlalchemy import Connection, Row, select

from windlass.domain.codec import load
from windlass.domain.record import Action, Event, GroupCounts, Note, Query, Scope, StepRecord
from windlass.domain.results import TableCounts
from windlass.domain.window import Interval
from windlass.ledger import tables as t


def counts(connection: Connection, campaign: str) -> tuple[GroupCounts, ...]:
    """Figures per table and group, in order."""
    g, c = t.groups, t.counts
    query = (
        select(g.c.cluster, g.c.database, g.c.id, g.c.start_at, g.c.end_at, c.c.value)
        .join_from(g, c, c.c.group_id == g.c.id)
        .where(g.c.campaign == campaign, g.c.replaced.is_(False))
        .order_by(g.c.cluster, g.c.database, g.c.start_at, c.c.position)
    )
    return tuple(
        GroupCounts(
            r.cluster,
            r.database,
            r.id,
            Interval(r.start_at, r.end_at),
            load(TableCounts, r.value),
        )
        for r in connection.execute(query)
    )


def steps(connection: Connection, campaign: str) -> tuple[StepRecord, ...]:
    """Publish steps, oldest first."""
    s, g = t.steps, t.groups
    query = (
        select(s)
        .join_from(s, g, g.c.id == s.c.group_id)
        .where(g.c.campaign == campaign)
        .order_by(s.c.begun_at)
    )
    return tuple(step(row) for row in connection.execute(query))


def step(row: Row[Any]) -> StepRecord:
    """The domain's word for a step's row."""
    return StepRecord(
        group=row.group_id,
        attempt=row.attempt,
        table=row.table_name,
        step=row.step,
        begun_at=row.begun_at,
        ended_at=row.ended_at,
        facts=json.loads(row.facts),
    )


def events(connection: Connection, campaign: str) -> tuple[Event, ...]:
    """What happened, oldest first."""
    query = select(t.events).where(t.events.c.campaign == campaign).order_by(t.events.c.id)
    return tuple(
        Event(r.campaign, r.kind, r.text, r.at, r.cluster, r.database, r.subject)
        for r in connection.execute(query)
    )


def notes(connection: Connection, campaign: str) -> tuple[Note, ...]:
    """Operators' remarks, oldest first."""
    query = select(t.notes).where(t.notes.c.campaign == campaign).order_by(t.notes.c.id)
    return tuple(
        Note(r.campaign, r.who, r.text, r.at, r.database) for r in connection.execute(query)
    )


def actions(connection: Connection, campaign: str) -> tuple[Action, ...]:
    """Operators' orders, oldest first."""
    query = select(t.actions).where(t.actions.c.campaign == campaign).order_by(t.actions.c.id)
    return tuple(
        Action(
            Scope(r.campaign, r.cluster, r.database, r.window_id),
            r.verb,
            r.who,
            r.why,
            r.before,
            r.after,
            r.at,
        )
        for r in connection.execute(query)
    )


def queries(connection: Connection, campaign: str) -> tuple[Query, ...]:
    """Queries that reproduce figures."""
    q = t.queries
    query = (
        select(q)
        .where(q.c.campaign == campaign)
        .order_by(q.c.database, q.c.table_name, q.c.purpose)
    )
    return tuple(
        Query(r.campaign, r.database, r.table_name, r.purpose, r.server, r.sql)
        for r in connection.execute(query)
    )
