"""What was proven and still may hold, and what history says about rates."""

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, insert, select, update

from windlass.domain.codec import dump, load
from windlass.domain.record import HistoryEntry
from windlass.domain.states import Mode, State, Verdict
from windlass.domain.window import Interval
from windlass.ledger import tables as t
from windlass.ledger import undo_tables as u
from windlass.ledger.base import Base, found
from windlass.ledger.database import reads, writes
from windlass.ports import HeldCounts, HeldRecord

RECENT = 50
"""Windows that a rate is taken from."""


_W, _V = t.windows.c, t.verified.c
_PLACES = (
    select(_W.id, _W.campaign, _W.cluster, _W.database, t.campaigns.c.dataset)
    .add_columns(_W.start_at, _W.end_at)
    .join_from(t.windows, t.campaigns, t.campaigns.c.name == _W.campaign)
    .where(_W.id.in_(bindparam("ids", expanding=True)))
)
_COVERED = delete(t.verified).where(
    _V.cluster == bindparam("of_cluster"),
    _V.database == bindparam("of_database"),
    _V.dataset == bindparam("of_dataset"),
    _V.start_at >= bindparam("of_start_at"),
    _V.end_at <= bindparam("of_end_at"),
)
"""The records that lie in a place, given as `_bound` names it."""


class Held(Base):
    """Verified ranges, and the past."""

    @writes
    def record_verified(
        self,
        connection: Connection,
        definition: str,
        windows: Mapping[str, Mapping[str, HeldCounts]],
    ) -> None:
        """The windows' ranges are verified under that definition, each with what its tables hold;
        what they cover is superseded."""
        if not windows:
            return
        places = {row.id: row for row in connection.execute(_PLACES, {"ids": list(windows)})}
        records = [
            {
                **_record(found(places.get(window), "window", window)),
                "definition": definition,
                "tables": dump(dict(tables)),
                "at": self._clock.now(),
            }
            for window, tables in windows.items()
        ]
        connection.execute(_COVERED, [_bound(one) for one in records])
        connection.execute(insert(t.verified), records)

    @reads
    def verified(
        self,
        connection: Connection,
        dataset: str,
        cluster: str,
        database: str,
        interval: Interval,
    ) -> list[HeldRecord]:
        """Verified windows that overlap the interval, newest first."""
        of = t.verified.c
        query = (
            select(t.verified)
            .where(
                of.dataset == dataset,
                of.cluster == cluster,
                of.database == database,
                of.start_at < interval.end,
                of.end_at > interval.start,
            )
            .order_by(of.id.desc())
        )
        return [_held(row) for row in connection.execute(query)]

    @reads
    def rate(self, connection: Connection, cluster: str, database: str) -> tuple[float, str] | None:
        """(rows per second, basis) from finished windows: this tenant's, else the cluster's."""
        w = t.windows.c
        for where, whose in (([w.database == database], "of this tenant"), ([], f"on {cluster}")):
            rows = connection.execute(_ended().where(w.cluster == cluster, *where).limit(RECENT))
            past = [(row.rows_loaded, _seconds(row)) for row in rows if row.rows_loaded]
            seconds = sum(seconds for _, seconds in past)
            if seconds > 0:
                rate = sum(rows for rows, _ in past) / seconds
                plural = "" if len(past) == 1 else "s"
                return rate, f"{len(past)} window{plural} {whose}, {rate:,.0f} rows/s"
        return None

    @reads
    def history(
        self,
        connection: Connection,
        cluster: str = "*",
        customer: str = "*",
        profile: str = "*",
        limit: int = 1000,
    ) -> list[HistoryEntry]:
        """Windows that ended in a publish, the latest first; the words are globs."""
        entries = (_entry(row) for row in connection.execute(_ended()))
        wanted = (
            one
            for one in entries
            if fnmatchcase(one.cluster, cluster)
            and fnmatchcase(one.customer, customer)
            and fnmatchcase(one.profile, profile)
        )
        return [one for one, _ in zip(wanted, range(limit), strict=False)]


def _record(place: Row[Any]) -> dict[str, Any]:
    """What a record of what holds says of the window there."""
    return {name: value for name, value in place._mapping.items() if name != "id"}


def _bound(record: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters may not be called as columns are, which an insert or update would set."""
    names = ("cluster", "database", "dataset", "start_at", "end_at")
    return {f"of_{name}": record[name] for name in names}


def void(connection: Connection, campaign: Row[Any], group: Row[Any], reason: str) -> None:
    """What other campaigns verified in the group's range no longer holds."""
    of = t.verified.c
    connection.execute(
        update(t.verified)
        .where(
            of.dataset == campaign.dataset,
            of.cluster == group.cluster,
            of.database == group.database,
            of.start_at < group.end_at,
            of.end_at > group.start_at,
            of.voided == "",
        )
        .values(voided=reason)
    )


def _ended() -> Select[Any]:
    """Windows that were published, with their campaign and tenant, the latest first."""
    w, c, n = t.windows.c, t.campaigns.c, t.tenants.c
    return (
        select(
            t.windows, c.dataset, c.mode, n.customer, n.profile, u.undos.c.ended_at.label("undone")
        )
        .join_from(t.windows, t.campaigns, c.name == w.campaign)
        .join(
            t.tenants,
            (n.campaign == w.campaign) & (n.cluster == w.cluster) & (n.database == w.database),
        )
        .join(
            u.undos,
            (u.undos.c.group_id == w.group_id) & u.undos.c.ended_at.is_not(None),
            isouter=True,
        )
        .where(w.state == str(State.DONE), w.ended_at.is_not(None), w.replaced.is_(False))
        .order_by(w.ended_at.desc(), w.id)
    )


def _seconds(row: Row[Any]) -> float:
    """Time from start until loaded: waiting for the rest of its group is not the window's."""
    if row.started_at is None:
        return 0.0
    return float(((row.loaded_at or row.ended_at) - row.started_at).total_seconds())


def _entry(row: Row[Any]) -> HistoryEntry:
    return HistoryEntry(
        campaign=row.campaign,
        dataset=row.dataset,
        mode=Mode(row.mode),
        cluster=row.cluster,
        customer=row.customer,
        profile=row.profile,
        database=row.database,
        interval=Interval(row.start_at, row.end_at),
        rows=row.rows_loaded,
        seconds=_seconds(row),
        verdict=Verdict(row.verdict) if row.verdict else None,
        ended_at=row.ended_at,
        undone=row.undone is not None,
    )


def _held(row: Row[Any]) -> HeldRecord:
    return HeldRecord(
        campaign=row.campaign,
        interval=Interval(row.start_at, row.end_at),
        definition=row.definition,
        tables={
            name: load(HeldCounts, json.dumps(one)) for name, one in json.loads(row.tables).items()
        },
        voided=row.voided,
    )
