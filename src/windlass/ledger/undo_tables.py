"""The ledger's tables about undo."""

from sqlalchemy import Boolean, Column, Index, Table, Text

from windlass.ledger.tables import instant, metadata, text, whole

kept = Table(
    "kept",
    metadata,
    text("group_id", key=True),
    text("table_name", key=True),
    text("cluster"),
    text("database"),
    text("name"),
    text("before"),
    whole("bytes"),
    text("why_not"),
    Column("after", Text),
    instant("kept_at", needed=True),
    instant("dropped_at"),
    text("dropped_why"),
    Index("kept_by_cluster", "cluster", "dropped_at"),
)

undos = Table(
    "undos",
    metadata,
    text("group_id", key=True),
    text("campaign"),
    text("order_id"),
    text("who"),
    text("why"),
    Column("forced", Boolean, nullable=False, default=False),
    instant("begun_at", needed=True),
    instant("ended_at"),
    Index("undos_by_campaign", "campaign"),
)
