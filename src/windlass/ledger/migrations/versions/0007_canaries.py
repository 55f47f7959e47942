"""Who begins first, and how many tenants discovery found."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the columns."""
    op.add_column(
        "tenants", sa.Column("canary", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column(
        "tenants", sa.Column("priority", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.add_column("campaign_clusters", sa.Column("found", sa.BigInteger()))
