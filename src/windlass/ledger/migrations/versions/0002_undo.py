"""What was kept of the partitions that a publish replaced, and what was undone."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create both tables."""
    kept()
    undos()


def kept() -> None:
    """Create the table and its index."""
    op.create_table(
        "kept",
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("database", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("why_not", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("kept_at", sa.String(27), nullable=False),
        sa.Column("dropped_at", sa.String(27), nullable=True),
        sa.Column("dropped_why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("group_id", "table_name"),
    )
    op.create_index("kept_by_cluster", "kept", ["cluster", "dropped_at"], unique=False)


def undos() -> None:
    """Create the table and its index."""
    op.create_table(
        "undos",
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("forced", sa.Boolean(), nullable=False),
        sa.Column("begun_at", sa.String(27), nullable=False),
        sa.Column("ended_at", sa.String(27), nullable=True),
        sa.PrimaryKeyConstraint("group_id"),
    )
    op.create_index("undos_by_campaign", "undos", ["campaign"], unique=False)
