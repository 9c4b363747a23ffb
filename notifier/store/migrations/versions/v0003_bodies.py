"""Bodies in a table of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table, and move them."""
    op.create_table(
        "bodies",
        sa.Column(
            "message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["messages.id"],
            name=op.f("fk_bodies_message_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_bodies")),
    )
    op.execute(
        "INSERT INTO bodies (message_id, content) "
        "SELECT id, content FROM messages WHERE content IS NOT NULL"
    )
    op.drop_column("messages", "content")
