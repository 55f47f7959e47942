"""Opening a ledger: bring its tables up to date, once, whoever comes first."""

from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, insert, inspect, select, text

from windlass.domain.errors import ConfigError, UnreachableError
from windlass.ledger import tables as t
from windlass.ledger.base import SystemClock
from windlass.ledger.database import Database
from windlass.ledger.store import SqlLedger
from windlass.ports import Clock

HEAD = "0008"
"""The revision that this code needs; migrations/versions ends with it (a test says so)."""
MIGRATE_LOCK = 0x77696E65
MIGRATIONS = Path(__file__).parent / "migrations"


def open_ledger(url: str, clock: Clock | None = None) -> SqlLedger:
    """Open `sqlite:///FILE` or `postgresql://…`, creating or migrating its tables.

    ConfigError: not such a URL, or a ledger of a later version; UnreachableError: no answer.
    """
    database = Database(url)
    if database.read(_revision) != HEAD:
        database.write(lambda connection: _migrate(connection, database.where))
    return SqlLedger(database, clock or SystemClock())


def _revision(connection: Connection) -> str | None:
    """The revision on record; None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(text("select version_num from alembic_version"))
    return None if found is None else str(found)


def _migrate(connection: Connection, where: str) -> None:
    """All in the caller's one transaction: a second comer waits, then finds it done."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATE_LOCK})"))
    before = _revision(connection)
    if before == HEAD:
        return
    _upgrade(connection, before, where)
    if connection.scalar(select(t.meta.c.value).where(t.meta.c.name == "ledger_id")) is None:
        connection.execute(insert(t.meta).values(name="ledger_id", value=str(uuid4())))


def _upgrade(connection: Connection, before: str | None, where: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigError(
            f"the ledger has revision {before}, which this version does not know",
            where=where,
            why=str(error),
            next_step="use a windlass at least as new as the one that wrote the ledger",
        ) from error
    if _revision(connection) != HEAD:
        raise UnreachableError("the ledger was not migrated", where=where)
