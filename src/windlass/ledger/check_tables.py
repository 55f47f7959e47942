"""The ledger's tables of verifications (see `tables` for how values are kept)."""

from sqlalchemy import Index, Table

from windlass.ledger.tables import instant, metadata, text, whole

verify_parts = Table(
    "verify_parts",
    metadata,
    text("request", key=True),
    text("database", key=True),
    text("table_name", key=True),
    instant("start_at", key=True),
    instant("end_at", needed=True),
    whole("source_rows"),
    whole("target_rows"),
    instant("snapshot_at", needed=True),
)

verify_tables = Table(
    "verify_tables",
    metadata,
    text("request", key=True),
    text("database", key=True),
    text("table_name", key=True),
    text("value"),
    instant("at", needed=True),
)

verify_schedules = Table(
    "verify_schedules",
    metadata,
    text("name", key=True),
    text("cluster", key=True),
    text("question"),
    whole("every_seconds"),
    text("who"),
    text("command"),
    instant("created_at", needed=True),
    instant("ended_at"),
)

verify_runs = Table(
    "verify_runs",
    metadata,
    text("request", key=True),
    text("schedule"),
    text("cluster"),
    text("seed"),
    instant("begun_at", needed=True),
    Index("verify_runs_by_schedule", "schedule", "cluster"),
)
