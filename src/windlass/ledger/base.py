"""What all parts of the ledger share: the database, the clock, and finding a row or saying so."""

from collections.abc import Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, insert, select, update

from windlass.domain.errors import UsageError
from windlass.ledger import tables as t
from windlass.ledger.database import Database, HasDatabase
from windlass.ports import Clock

# Asked all the time: statements that stand need not be put together each time.
_CAMPAIGN = select(t.campaigns).where(t.campaigns.c.name == bindparam("name"))
_LOCKED = _CAMPAIGN.with_for_update()
_LATEST = select(t.campaigns).order_by(t.campaigns.c.number.desc()).limit(1)
_WINDOW = select(t.windows).where(t.windows.c.id == bindparam("id"))
_GROUP = select(t.groups).where(t.groups.c.id == bindparam("id"))


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)


class Base(HasDatabase):
    """One part of the ledger."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db, self._clock = database, clock


def campaign_row(connection: Connection, name: str | None, *, lock: bool = False) -> Row[Any]:
    """That campaign, or the latest; with `lock` nobody else changes its states meanwhile."""
    query = _LATEST if name is None else _LOCKED if lock else _CAMPAIGN
    row = connection.execute(query, {"name": name}).first()
    if row is None:
        raise _no_campaign(connection, name)
    return row


def _no_campaign(connection: Connection, name: str | None) -> UsageError:
    if name is None:
        return UsageError("there is no campaign yet", next_step="windlass run … starts one")
    names = list(connection.scalars(select(t.campaigns.c.name)))
    near = get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]}?" if near else "windlass status lists the latest"
    return UsageError(f"no campaign is called {name!r}", next_step=hint)


def found(row: Row[Any] | None, kind: str, name: str) -> Row[Any]:
    """The row, or a UsageError that names what is missing."""
    if row is None:
        raise UsageError(f"the ledger has no {kind} {name!r}")
    return row


def window_row(connection: Connection, window: str) -> Row[Any]:
    """That window."""
    return found(connection.execute(_WINDOW, {"id": window}).first(), "window", window)


def group_row(connection: Connection, group: str) -> Row[Any]:
    """That publish group."""
    return found(connection.execute(_GROUP, {"id": group}).first(), "group", group)


def put(
    connection: Connection, table: Table, key: Mapping[str, object], values: Mapping[str, object]
) -> None:
    """Insert the row, or set its values where its key is there."""
    where = [table.c[name] == value for name, value in key.items()]
    if connection.execute(update(table).where(*where).values(values)).rowcount == 0:
        connection.execute(insert(table).values({**key, **values}))
