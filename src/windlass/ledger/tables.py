"""The ledger's tables. Times are UTC text of one width, so that they sort and compare as text on
every database and read the same in a `sqlite3` shell."""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

metadata = MetaData()
FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


class Instant(TypeDecorator[datetime]):
    """A UTC instant as `2026-02-19T21:23:00.000000Z`."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """To text."""
        return value.astimezone(UTC).strftime(FORMAT) if value else None

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """From text."""
        return datetime.fromisoformat(value) if value else None


def text(name: str, *, key: bool = False) -> Column[str]:
    """A text that is never NULL; '' says nothing."""
    return Column(name, Text, primary_key=key, nullable=False, default="")


def instant(name: str, *, needed: bool = False, key: bool = False) -> Column[datetime]:
    """A moment that may not have come yet."""
    return Column(name, Instant, primary_key=key, nullable=not (needed or key))


def whole(name: str, *, key: bool = False) -> Column[int]:
    """A count."""
    return Column(name, BigInteger, primary_key=key, nullable=False, default=0)


def serial() -> Column[int]:
    """Order of arrival."""
    return Column("id", Integer, primary_key=True, autoincrement=True)


meta = Table("meta", metadata, text("name", key=True), text("value"))

requests = Table(
    "requests",
    metadata,
    text("id", key=True),
    text("kind"),
    text("cluster"),
    text("payload"),
    text("state"),
    Column("answer", Text),
    Column("error", Text),
    instant("created_at", needed=True),
    instant("started_at"),
    instant("finished_at"),
    whole("attempt"),
)

plans = Table(
    "plans", metadata, text("id", key=True), text("plan"), instant("created_at", needed=True)
)

campaigns = Table(
    "campaigns",
    metadata,
    text("name", key=True),
    Column("number", Integer, nullable=False, unique=True),
    text("dataset"),
    text("definition"),
    text("definition_hash"),
    text("mode"),
    instant("start_at", needed=True),
    instant("end_at", needed=True),
    text("clusters"),
    text("tenants"),
    text("reason"),
    text("who"),
    text("command"),
    text("plan_id"),
    text("supersedes"),
    text("guard"),
    text("state"),
    text("ordered"),
    text("note"),
    instant("created_at", needed=True),
    instant("started_at"),
    instant("ended_at"),
)

campaign_plans = Table(
    "campaign_plans",
    metadata,
    text("campaign", key=True),
    text("plan"),
    whole("version"),
)

campaign_clusters = Table(
    "campaign_clusters",
    metadata,
    text("campaign", key=True),
    text("cluster", key=True),
    whole("position"),
    text("state"),
    text("ordered"),
    text("note"),
    text("limited_by"),
    Column("found", BigInteger),
    instant("started_at"),
    instant("ended_at"),
)

tenants = Table(
    "tenants",
    metadata,
    text("campaign", key=True),
    text("cluster", key=True),
    text("database", key=True),
    whole("position"),
    text("customer"),
    text("profile"),
    text("state"),
    text("ordered"),
    text("health"),
    text("note"),
    text("rows"),
    whole("rows_planned"),
    Column("estimate_seconds", Float),
    Column("canary", Boolean, nullable=False, default=False),
    whole("priority"),
    instant("started_at"),
    instant("ended_at"),
    Index("tenants_by_database", "cluster", "database"),
)

skipped = Table(
    "skipped",
    metadata,
    text("campaign", key=True),
    whole("position", key=True),
    text("cluster"),
    text("customer"),
    text("profile"),
    text("reason"),
)

groups = Table(
    "groups",
    metadata,
    text("id", key=True),
    text("campaign"),
    text("cluster"),
    text("database"),
    instant("start_at", needed=True),
    instant("end_at", needed=True),
    text("paths"),
    Column("replaced", Boolean, nullable=False, default=False),
    Index("groups_by_tenant", "campaign", "cluster", "database"),
)

windows = Table(
    "windows",
    metadata,
    text("id", key=True),
    text("campaign"),
    text("cluster"),
    text("database"),
    text("group_id"),
    instant("start_at", needed=True),
    instant("end_at", needed=True),
    text("state"),
    text("ordered"),
    Column("verdict", Text),
    whole("attempts"),
    whole("rows_planned"),
    whole("rows_loaded"),
    instant("started_at"),
    instant("loaded_at"),
    instant("ended_at"),
    text("parent"),
    text("note"),
    Column("replaced", Boolean, nullable=False, default=False),
    Index("windows_by_tenant", "campaign", "cluster", "database"),
    Index("windows_by_group", "group_id"),
    Index("windows_by_end", "ended_at"),
)

window_tables = Table(
    "window_tables",
    metadata,
    text("window_id", key=True),
    text("table_name", key=True),
    whole("rows"),
    Column("seconds", Float, nullable=False, default=0.0),
)

progress = Table(
    "progress",
    metadata,
    text("window_id", key=True),
    whole("attempt"),
    whole("rows"),
    instant("at", needed=True),
    whole("middle_rows"),
    instant("middle_at", needed=True),
    whole("before_rows"),
    instant("before_at", needed=True),
)

attempts = Table(
    "attempts",
    metadata,
    text("subject", key=True),
    whole("number", key=True),
    text("campaign"),
    text("group_id"),
    instant("begun_at", needed=True),
    Index("attempts_by_group", "group_id"),
)

steps = Table(
    "steps",
    metadata,
    text("group_id", key=True),
    whole("attempt", key=True),
    text("table_name", key=True),
    text("step", key=True),
    instant("begun_at", needed=True),
    instant("ended_at"),
    text("facts"),
)

removals = Table(
    "removals",
    metadata,
    text("group_id", key=True),
    text("table_name", key=True),
    text("value"),
)

counts = Table(
    "counts",
    metadata,
    text("group_id", key=True),
    text("table_name", key=True),
    whole("position"),
    text("value"),
    instant("at", needed=True),
)

verified = Table(
    "verified",
    metadata,
    serial(),
    text("campaign"),
    text("cluster"),
    text("database"),
    text("dataset"),
    text("definition"),
    instant("start_at", needed=True),
    instant("end_at", needed=True),
    text("tables"),
    instant("at", needed=True),
    text("voided"),
    Index("verified_by_database", "cluster", "database", "dataset"),
)

events = Table(
    "events",
    metadata,
    serial(),
    text("campaign"),
    text("cluster"),
    text("database"),
    text("subject"),
    text("kind"),
    text("text"),
    instant("at", needed=True),
    Index("events_by_campaign", "campaign"),
)

notes = Table(
    "notes",
    metadata,
    serial(),
    text("campaign"),
    text("database"),
    text("who"),
    text("text"),
    instant("at", needed=True),
    Index("notes_by_campaign", "campaign"),
)

actions = Table(
    "actions",
    metadata,
    serial(),
    text("campaign"),
    text("cluster"),
    text("database"),
    text("window_id"),
    text("verb"),
    text("who"),
    text("why"),
    text("before"),
    text("after"),
    instant("at", needed=True),
    Index("actions_by_campaign", "campaign"),
)

queries = Table(
    "queries",
    metadata,
    text("campaign", key=True),
    text("database", key=True),
    text("table_name", key=True),
    text("purpose", key=True),
    text("server"),
    text("sql"),
)

limits = Table(
    "limits",
    metadata,
    text("campaign", key=True),
    text("cluster", key=True),
    text("database", key=True),
    text("value"),
)

governors = Table(
    "governors",
    metadata,
    text("cluster", key=True),
    text("holder"),
    instant("until_at", needed=True),
    text("course"),
)
