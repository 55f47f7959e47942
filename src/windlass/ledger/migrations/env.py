"""Alembic's entry: runs in the transaction that `open_ledger` holds."""

from alembic import context

from windlass.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
