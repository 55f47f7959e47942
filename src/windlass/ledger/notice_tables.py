"""The ledger's table of what people were told."""

from sqlalchemy import Table

from windlass.ledger.tables import instant, metadata, text, whole

notices = Table(
    "notices",
    metadata,
    text("happening", key=True),
    text("channel", key=True),
    whole("tries"),
    instant("until_at", needed=True),
    instant("ended_at"),
    text("failure"),
)
