"""Orders about single windows, and plans that change while their campaign runs."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add both columns."""
    op.add_column("windows", sa.Column("ordered", sa.Text(), nullable=False, server_default=""))
    op.add_column(
        "campaign_plans", sa.Column("version", sa.BigInteger(), nullable=False, server_default="0")
    )
