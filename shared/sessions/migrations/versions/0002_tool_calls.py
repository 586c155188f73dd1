"""Tool calls that a caller named by an id."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the table."""
    op.create_table(
        "tool_calls",
        _name("user_id"),
        _name("session_id"),
        _name("call_id"),
        _name("name"),
        sa.Column("arguments_hash", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("token", sa.BigInteger, nullable=False),
        sa.Column("result", sa.LargeBinary),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("lease_until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "session_id", "call_id"),
        sa.ForeignKeyConstraint(
            ["user_id", "session_id"],
            ["sessions.user_id", "sessions.session_id"],
            name="tool_calls_session",
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    """Drops the table with all that is in it."""
    op.drop_table("tool_calls")


def _name(column: str) -> sa.Column[str]:
    # Ordered by code point in Postgres too, whatever its locale.
    collation = "C" if op.get_bind().dialect.name == "postgresql" else None
    return sa.Column(column, sa.Text(collation=collation), nullable=False)
