"""Which try at answering a question is the latest."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column."""
    op.add_column(
        "requests", sa.Column("attempt", sa.BigInteger(), nullable=False, server_default="0")
    )
