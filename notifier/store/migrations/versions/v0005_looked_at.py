"""When a hint was looked into between two readings."""

import sqlalchemy as sa
from alembic import op

from notifier.store.tables import Instant

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Nobody has looked into any yet."""
    op.add_column("hints", sa.Column("looked_at", Instant, nullable=True))
