"""What is remembered of orders between two readings, and what the marketplace hinted at."""

import sqlalchemy as sa
from alembic import op

from notifier.store.tables import Instant

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "sightings",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("shipped_on", sa.Date(), nullable=True),
        sa.Column("read_on", sa.Date(), nullable=True),
        sa.Column("waits", sa.Boolean(), nullable=False),
        sa.Column("comes_back", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "order_id", name=op.f("pk_sightings")),
    )
    op.create_table(
        "hints",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("heard_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "order_id", name=op.f("pk_hints")),
    )
