"""Exported snapshots: one session holds what all readers of a publish group import.

The horizon has to be looked up before the snapshot is taken: a transaction that commits between
the two is in no later list, and yet its rows are outside the snapshot and carry older versions.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from windlass.domain.results import Snapshot, Writer
from windlass.source.quote import literal, text_array
from windlass.source.session import (
    BEGIN,
    Connection,
    Server,
    control,
    rows,
    run,
)

MARGIN = timedelta(seconds=5)
"""A version may be a little older than its transaction's start as the server lists it: the
application's clock, and the moment between BEGIN and the listing."""

HIDDEN = timedelta(hours=1)
"""How far back the horizon goes where transactions cannot be seen: other roles' sessions without
pg_read_all_stats, prepared transactions, and everything on a standby."""

# Read-only work of ours, vacuums and senders write no rows; parallel workers have a leader.
_HORIZON = """\
SELECT clock_timestamp(),
       min(a.xact_start),
       coalesce(bool_or(a.query = '<insufficient privilege>' OR a.state = 'disabled'), FALSE),
       pg_is_in_recovery(),
       pg_last_xact_replay_timestamp(),
       (SELECT min(p.prepared) FROM pg_prepared_xacts p WHERE p.database = current_database())
FROM pg_stat_activity a
WHERE a.pid <> pg_backend_pid()
  AND (a.datname = current_database() OR a.datname IS NULL)
  AND coalesce(a.application_name, '') NOT LIKE 'windlass%'
  AND coalesce(a.backend_type, '') NOT IN ('autovacuum worker', 'walsender', 'parallel worker')
  AND (a.datname IS NOT NULL OR a.xact_start IS NOT NULL)"""

# Who holds a lock that only writing (or altering) takes, on these relations, their partitions, or
# what their views read. Held to the end of the transaction, and seen by any role.
_WRITERS = """\
WITH RECURSIVE named(id) AS (
  SELECT to_regclass(name)::oid FROM unnest({names}) name WHERE to_regclass(name) IS NOT NULL
  UNION
  SELECT below.id FROM named, LATERAL (
    SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = named.id
    UNION ALL
    SELECT d.refobjid FROM pg_rewrite r
    JOIN pg_depend d ON d.objid = r.oid AND d.classid = 'pg_rewrite'::regclass
      AND d.refclassid = 'pg_class'::regclass
    WHERE r.ev_class = named.id) AS below(id)
)
SELECT coalesce(l.pid::text, 'prepared') || '@' || l.virtualtransaction, min(a.xact_start),
       coalesce(nullif(min(a.application_name), ''), min(a.usename), 'a prepared transaction')
FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.granted AND l.relation IN (SELECT id FROM named)
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock',
                 'AccessExclusiveLock')
  AND l.pid IS DISTINCT FROM pg_backend_pid()
GROUP BY 1"""

# A standby shows no locks of the primary's writers, only that their transactions are open.
_OPEN_ON_PRIMARY = """\
SELECT 'transaction ' || xid, NULL::timestamptz, 'a transaction on the primary'
FROM pg_snapshot_xip(pg_current_snapshot()) xid"""

_EXPORT = "SELECT now(), pg_export_snapshot(), pg_backend_pid()"


@dataclass(frozen=True)
class Seen:
    """What the server showed of open transactions, before the snapshot was taken."""

    at: datetime
    oldest: datetime | None
    hidden: bool
    standby: bool
    replayed: datetime | None
    prepared: datetime | None

    def horizon(self) -> datetime:
        """The instant that no transaction open at the snapshot started before; as far back as
        need be where that cannot be seen."""
        bounds = [self.at - MARGIN]
        bounds += [self.oldest - MARGIN] if self.oldest else []
        bounds += [self.prepared - HIDDEN] if self.prepared else []
        bounds += [self.at - HIDDEN] if self.hidden or self.standby else []
        bounds += [self.replayed - HIDDEN] if self.standby and self.replayed else []
        return min(bounds)

    def exact_as_of(self, writers: Sequence[Writer]) -> datetime:
        """The start of the oldest of these writers, else this look; where the server does not
        show when one began, the horizon."""
        bounds = [self.at]
        bounds += [self.replayed] if self.standby and self.replayed else []
        bounds += [self.horizon() if one.since is None else one.since for one in writers]
        return min(bounds)


class Hold:
    """The session that keeps an exported snapshot importable (ports.SnapshotHold)."""

    def __init__(self, server: Server, connection: Connection, snapshot: Snapshot) -> None:
        self._server, self._connection, self._snapshot = server, connection, snapshot

    @property
    def snapshot(self) -> Snapshot:
        """What to import."""
        return self._snapshot

    def alive(self) -> bool:
        """Whether the holder's session still stands in its transaction, asked of the server."""
        listed = (
            "SELECT count(*) FROM pg_stat_activity WHERE xact_start IS NOT NULL "
            f"AND pid || '@' || backend_start = {literal(self._snapshot.session)}"
        )
        with control(self._server, "looking for the snapshot's session") as connection:
            return bool(rows(connection, listed)[0][0])


@contextmanager
def hold(server: Server, name: str, tables: Sequence[str] = ()) -> Iterator[Hold]:
    """Open a session of that application_name and export its snapshot until the end; with tables
    (quoted names), tell who was writing to them."""
    with control(server, "holding a snapshot", name) as connection:
        seen = Seen(*rows(connection, _HORIZON)[0])
        # A writer that ends between this look and the snapshot is in the snapshot.
        writers = _writers(connection, tables, standby=seen.standby) if tables else ()
        run(connection, BEGIN)
        taken_at, exported, pid = rows(connection, _EXPORT)[0]
        session = f"{pid}@{_started(connection)}"
        exact = seen.exact_as_of(writers) if tables else None
        found = Snapshot(exported, taken_at, seen.horizon(), session, writers, exact)
        yield Hold(server, connection, found)


def _writers(connection: Connection, tables: Sequence[str], *, standby: bool) -> tuple[Writer, ...]:
    """Open transactions that have written to the tables, or, on a standby, anywhere."""
    look = _OPEN_ON_PRIMARY if standby else _WRITERS.format(names=text_array(tables))
    return tuple(Writer(*found) for found in rows(connection, look))


def _started(connection: Connection) -> str:
    own = "SELECT backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()"
    return str(rows(connection, own)[0][0])
