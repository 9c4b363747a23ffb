"""Alembic's way in. The connection, and its transaction, come from whoever migrates."""

from alembic import context

from notifier.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # the transaction is the caller's: all migrations or none
)
context.run_migrations()
