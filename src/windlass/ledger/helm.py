"""Steering a cluster by its health: who is at the helm, the course, and what is at work."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, func, select, update

from windlass.domain.codec import dump, load
from windlass.domain.health import Course
from windlass.domain.record import Scope
from windlass.domain.states import FINAL, Health, State
from windlass.ledger import states
from windlass.ledger import tables as t
from windlass.ledger.base import Base, campaign_row, put
from windlass.ledger.canaries import has_canaries, open_canaries
from windlass.ledger.database import reads, writes
from windlass.ledger.journal import insert_action, insert_event
from windlass.ledger.limits import show_limits
from windlass.planner.struggle import BY_ITSELF
from windlass.ports.health import AtWork, Sight

VOID = timedelta(seconds=60)
"""How long a course holds after the last word of whoever was at the helm."""
STOPPED = "stopped"
"""The event of a campaign that paused itself."""
ENOUGH = 20
"""Windows that must have ended before their failures say anything about the rest."""
_TRIED = [str(State.DONE), str(State.PARKED)]
_BUSY = [str(State.RUNNING), str(State.PARTIAL)]
_ENDED = [str(state) for state in FINAL]


class Helm(Base):
    """The port HealthLedger, but for the words."""

    @writes
    def govern(
        self, connection: Connection, cluster: str, holder: str, seconds: float
    ) -> tuple[bool, Course | None]:
        """Take or keep the cluster's helm."""
        of, now = t.governors, self._clock.now()
        row = connection.execute(
            select(of).where(of.c.cluster == cluster).with_for_update()
        ).first()
        fresh = row is not None and row.until_at + VOID >= now
        course = _course(row) if fresh else None
        if row is not None and row.holder != holder and row.until_at > now:
            return False, course
        values = {"holder": holder, "until_at": now + timedelta(seconds=seconds)}
        put(connection, of, {"cluster": cluster}, values)
        return True, course

    @writes
    def set_course(self, connection: Connection, cluster: str, course: Course) -> None:
        """From now on."""
        key = {"cluster": cluster}
        of, now = t.governors, self._clock.now()
        held = connection.scalar(select(of.c.until_at).where(of.c.cluster == cluster))
        values = {"course": dump(course)} | ({} if held else {"until_at": now})
        put(connection, of, key, values)

    @reads
    def at_work(self, connection: Connection, cluster: str) -> AtWork:
        """What goes on there now."""
        c, n = t.campaign_clusters.c, t.tenants.c
        campaigns = tuple(
            connection.scalars(
                select(c.campaign)
                .where(c.cluster == cluster, c.state.not_in(_ENDED))
                .order_by(c.campaign)
            )
        )
        if not campaigns:
            return AtWork()
        tenants = connection.execute(
            select(n.campaign, n.database).where(
                n.campaign.in_(campaigns), n.cluster == cluster, n.state.in_(_BUSY)
            )
        )
        return AtWork(
            campaigns,
            tuple((row.campaign, row.database) for row in tenants),
            tuple(_sight(row) for row in _loading(connection, campaigns, cluster)),
            _opened(connection, campaigns),
        )

    @writes
    def stop_failing(self, connection: Connection, campaign: str) -> str:
        """Pause the campaign where most of its windows fail."""
        e, scope, now = t.events.c, Scope(campaign), self._clock.now()
        row = campaign_row(connection, campaign, lock=True)
        why = _failing(connection, campaign)
        query = select(e.id).where(e.campaign == campaign, e.kind == STOPPED).limit(1)
        if not why or row.ordered or connection.scalar(query) is not None:
            return ""
        states.order(connection, scope, states.PAUSE)
        states.refresh_all(connection, scope, now)
        after = states.state_of(connection, states.level(scope))
        of = t.campaigns
        connection.execute(update(of).where(of.c.name == campaign).values(note=why))
        insert_action(connection, scope, "pause", BY_ITSELF, why, row.state, str(after), now)
        insert_event(connection, scope, "", STOPPED, why, now)
        return why

    @writes
    def show_limit(self, connection: Connection, campaign: str, cluster: str, reason: str) -> None:
        """What holds the cluster back."""
        of = t.campaign_clusters
        where = (of.c.campaign == campaign, of.c.cluster == cluster, of.c.state.not_in(_ENDED))
        connection.execute(update(of).where(*where).values(limited_by=reason))
        if not reason:
            show_limits(connection, campaign)


def _opened(connection: Connection, campaigns: tuple[str, ...]) -> tuple[str, ...]:
    """Campaigns that have canaries, all of them verified."""
    found = has_canaries(connection, campaigns)
    return tuple(name for name in found if not open_canaries(connection, name))


def _failing(connection: Connection, campaign: str) -> str:
    w = t.windows.c
    found = connection.execute(
        select(w.state, func.count())
        .where(w.campaign == campaign, w.replaced.is_(False), w.state.in_(_TRIED))
        .group_by(w.state)
    )
    counts = {str(state): int(count) for state, count in found}
    parked, ended = counts.get(str(State.PARKED), 0), sum(counts.values())
    if ended < ENOUGH or 2 * parked <= ended:
        return ""
    return (
        f"stopped by itself: {parked} of {ended} windows that have ended are parked. See why, then "
        f"go on with windlass retry {campaign} and windlass resume {campaign}"
    )


def course_of(connection: Connection, cluster: str, now: Any) -> Course | None:  # noqa: ANN401
    """The course that holds on the cluster; None: nothing is held back."""
    of = t.governors
    row = connection.execute(select(of).where(of.c.cluster == cluster)).first()
    if row is None or row.until_at + VOID < now:
        return None
    course = _course(row)
    return course if course and course.holds else None


def _course(row: Row[Any] | None) -> Course | None:
    return load(Course, row.course) if row is not None and row.course else None


def _loading(connection: Connection, campaigns: tuple[str, ...], cluster: str) -> list[Row[Any]]:
    """Windows that are being loaded, each with its latest attempt and how that has come."""
    w, p, a, n = t.windows.c, t.progress.c, t.attempts.c, t.tenants.c
    query = (
        select(
            t.windows,
            p.rows.label("seen_rows"),
            p.at.label("seen_at"),
            p.before_rows,
            p.before_at,
            a.begun_at,
            n.health,
        )
        .join_from(t.windows, t.progress, p.window_id == w.id)
        .join(t.attempts, and_(a.subject == w.id, a.number == w.attempts))
        .join(
            t.tenants,
            and_(n.campaign == w.campaign, n.cluster == w.cluster, n.database == w.database),
        )
        .where(
            w.campaign.in_(campaigns),
            w.cluster == cluster,
            w.state == str(State.RUNNING),
            w.loaded_at.is_(None),
            w.replaced.is_(False),
        )
        .order_by(w.start_at, w.id)
    )
    return list(connection.execute(query).all())


def _sight(row: Row[Any]) -> Sight:
    seconds = (row.seen_at - row.before_at).total_seconds()
    return Sight(
        row.campaign,
        row.database,
        row.group_id,
        row.id,
        row.attempts,
        row.rows_planned,
        row.seen_rows,
        row.begun_at,
        row.seen_at,
        (row.seen_rows - row.before_rows) / seconds if seconds > 0 else None,
        Health(row.health),
        (row.end_at - row.start_at).total_seconds(),
    )
