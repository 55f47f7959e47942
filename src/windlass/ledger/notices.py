"""What came to pass that a person may want to hear of, and who was told."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, or_, select, update

from windlass.domain.notices import Happening, Occasion
from windlass.domain.record import Scope
from windlass.domain.states import FINAL, State, Verdict
from windlass.ledger import tables as t
from windlass.ledger.base import Base
from windlass.ledger.database import reads, writes
from windlass.ledger.journal import insert_action
from windlass.ledger.notice_tables import notices
from windlass.planner.struggle import BY_ITSELF

_TOLD = {
    "parked": Occasion.PARKED,
    "struggling": Occasion.STRUGGLING,
    "stopped": Occasion.STOPPED,
}
"""Kinds of events that are told as they are written."""
_BEGAN, _ENDED = "throttled", "throttle ended"
_OVER = [str(state) for state in (State.DONE, State.PARKED, State.UNKNOWN)]
_UNPROVEN = [str(verdict) for verdict in (Verdict.MISMATCH, Verdict.UNVERIFIED)]


class Notices(Base):
    """The port NoticeLedger."""

    @reads
    def happenings(self, connection: Connection, since: datetime) -> list[Happening]:
        """What came to pass since then, oldest first."""
        found = [
            *_events(connection, since),
            *_ended(connection, since),
            *_unproven(connection, since),
            *_throttled(connection),
        ]
        return sorted(found, key=lambda one: (one.at, one.key))

    @reads
    def unsent(self, connection: Connection, channel: str, keys: Sequence[str]) -> list[str]:
        """Those that nobody was told there, and nobody is being told."""
        of, now = notices.c, self._clock.now()
        taken = set(
            connection.scalars(
                select(of.happening).where(
                    of.channel == channel,
                    of.happening.in_(keys),
                    or_(of.ended_at.is_not(None), of.until_at > now),
                )
            )
        )
        return [key for key in keys if key not in taken]

    @writes
    def claim_notices(
        self, connection: Connection, channel: str, keys: Sequence[str], seconds: float
    ) -> Mapping[str, int]:
        """Take those that nobody has."""
        now = self._clock.now()
        until = now + timedelta(seconds=seconds)
        tries = {key: _claim(connection, channel, key, now, until) for key in keys}
        return {key: count for key, count in tries.items() if count}

    @writes
    def notices_sent(self, connection: Connection, channel: str, keys: Sequence[str]) -> None:
        """They were told."""
        _put(connection, channel, keys, {"ended_at": self._clock.now(), "failure": ""})

    @writes
    def notices_failed(
        self,
        connection: Connection,
        channel: str,
        happened: Sequence[Happening],
        why: str,
        wait: float | None,
    ) -> None:
        """They were not told."""
        now, keys = self._clock.now(), [one.key for one in happened]
        if wait is not None:
            until = now + timedelta(seconds=wait)
            _put(connection, channel, keys, {"until_at": until, "failure": why})
            return
        _put(connection, channel, keys, {"ended_at": now, "failure": why})
        told = {(one.campaign, one.occasion) for one in happened}
        for campaign, occasion in sorted(told):
            scope, ends = Scope(campaign), (str(occasion), f"nobody told at {channel}")
            insert_action(connection, scope, "notify", BY_ITSELF, why, *ends, now)


def _put(
    connection: Connection, channel: str, keys: Sequence[str], values: Mapping[str, Any]
) -> None:
    of = notices
    mine = (of.c.channel == channel, of.c.happening.in_(keys))
    connection.execute(update(of).where(*mine).values(dict(values)))


def _claim(connection: Connection, channel: str, key: str, now: datetime, until: datetime) -> int:
    """How often it was taken, this time included; 0: somebody else has it, or it is over."""
    of = notices
    new = {"happening": key, "channel": channel, "tries": 1, "until_at": until, "failure": ""}
    first = _inserting(connection)(of).values(new).on_conflict_do_nothing().returning(of.c.tries)
    if connection.scalar(first) is not None:
        return 1
    mine = (of.c.happening == key, of.c.channel == channel)
    free = (of.c.ended_at.is_(None), of.c.until_at <= now)
    taken = update(of).where(*mine, *free).values(tries=of.c.tries + 1, until_at=until)
    if not connection.execute(taken).rowcount:
        return 0
    return int(connection.scalar(select(of.c.tries).where(*mine)) or 0)


def _inserting(connection: Connection) -> Any:  # noqa: ANN401 - one of two, of one shape
    """The dialect's own INSERT; both are loaded only here, for every other command's sake."""
    from sqlalchemy.dialects import postgresql, sqlite

    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert


def _recent(since: datetime) -> Select[tuple[str]]:
    """Campaigns that have not ended before that."""
    of = t.campaigns.c
    return select(of.name).where(or_(of.ended_at.is_(None), of.ended_at >= since))


def _with_tenant(of: Any, *more: Any) -> Select[Any]:  # noqa: ANN401 - a table, and columns
    """Its rows, each with its tenant's customer and profile (NULL: about none)."""
    n = t.tenants.c
    same = and_(n.campaign == of.c.campaign, n.cluster == of.c.cluster, n.database == of.c.database)
    columns = (of, n.customer, n.profile, *more)
    return select(*columns).join_from(of, t.tenants, same, isouter=True)


def _events(connection: Connection, since: datetime) -> Iterator[Happening]:
    e = t.events.c
    query = _with_tenant(t.events).where(
        e.campaign.in_(_recent(since)), e.kind.in_(list(_TOLD)), e.at >= since
    )
    for row in connection.execute(query):
        yield _happening(row, f"{row.kind}/{row.id}", _TOLD[row.kind], row.text, row.subject)


def _throttled(connection: Connection) -> Iterator[Happening]:
    """Shares whose servers hold them back since their last such event, with the figure of now."""
    e, c, n = t.events.c, t.campaign_clusters.c, t.campaigns.c
    latest = (
        select(func.max(e.id))
        .join_from(
            t.events, t.campaign_clusters, and_(c.campaign == e.campaign, c.cluster == e.cluster)
        )
        .join(t.campaigns, n.name == e.campaign)
        .where(n.ended_at.is_(None), e.kind.in_([_BEGAN, _ENDED]))
        .where(c.state.not_in([str(state) for state in FINAL]))
        .group_by(e.campaign, e.cluster)
    )
    query = _with_tenant(t.events, c.limited_by).join(
        t.campaign_clusters, and_(c.campaign == e.campaign, c.cluster == e.cluster)
    )
    for row in connection.execute(query.where(e.id.in_(latest), e.kind == _BEGAN)):
        text = row.limited_by or row.text
        yield _happening(row, f"{_BEGAN}/{row.id}", Occasion.THROTTLED, text, "")


def _ended(connection: Connection, since: datetime) -> Iterator[Happening]:
    n, w = t.campaigns.c, t.windows.c
    query = select(t.campaigns).where(n.ended_at >= since, n.state.in_(_OVER))
    for row in connection.execute(query).all():
        counts = connection.execute(
            select(w.verdict, func.count())
            .where(w.campaign == row.name, w.replaced.is_(False))
            .group_by(w.verdict)
        ).all()
        told = {verdict: int(count) for verdict, count in counts}
        total, good = sum(told.values()), told.get(str(Verdict.VERIFIED), 0)
        text = f"{row.state}: {good} of {total} windows verified"
        at = row.ended_at.isoformat()
        yield Happening(f"done/{row.name}/{at}", Occasion.DONE, row.name, row.ended_at, text)


def _unproven(connection: Connection, since: datetime) -> Iterator[Happening]:
    w = t.windows.c
    query = _with_tenant(t.windows).where(
        w.ended_at >= since, w.verdict.in_(_UNPROVEN), w.replaced.is_(False)
    )
    for row in connection.execute(query).all():
        key = f"mismatch/{row.id}/{row.ended_at.isoformat()}"
        yield _happening(row, key, Occasion.MISMATCH, row.verdict, row.id, row.ended_at)


def _happening(
    row: Row[Any],
    key: str,
    occasion: Occasion,
    text: str,
    subject: str,
    at: datetime | None = None,
) -> Happening:
    tenant = f"{row.cluster}/{row.customer}/{row.profile}" if row.customer is not None else ""
    return Happening(
        key, occasion, row.campaign, at or row.at, text, row.cluster, tenant.rstrip("/"), subject
    )
