"""Verifications: how far each has come, and those that run by themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create every table."""
    verify_parts()
    verify_tables()
    verify_schedules()
    verify_runs()


def verify_parts() -> None:
    """Create the table."""
    op.create_table(
        "verify_parts",
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("database", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("start_at", sa.String(27), nullable=False),
        sa.Column("end_at", sa.String(27), nullable=False),
        sa.Column("source_rows", sa.BigInteger(), nullable=False),
        sa.Column("target_rows", sa.BigInteger(), nullable=False),
        sa.Column("snapshot_at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("request", "database", "table_name", "start_at"),
    )


def verify_tables() -> None:
    """Create the table."""
    op.create_table(
        "verify_tables",
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("database", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("request", "database", "table_name"),
    )


def verify_schedules() -> None:
    """Create the table."""
    op.create_table(
        "verify_schedules",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("every_seconds", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("ended_at", sa.String(27), nullable=True),
        sa.PrimaryKeyConstraint("name", "cluster"),
    )


def verify_runs() -> None:
    """Create the table and its indexes."""
    op.create_table(
        "verify_runs",
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("request"),
    )
    op.create_index("verify_runs_by_schedule", "verify_runs", ["schedule", "cluster"], unique=False)
