"""Deployments, and which session a bot came from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the table."""
    op.create_table(
        "deployments",
        _name("user_id"),
        _name("session_id"),
        _name("call_id"),
        _name("deployment_id"),
        sa.Column("asked", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("token", sa.BigInteger, nullable=False),
        sa.Column("lease_until", sa.BigInteger, nullable=False),
        sa.Column("progress", sa.LargeBinary, nullable=False),
        _name("bot_id", nullable=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "session_id", "call_id"),
        sa.ForeignKeyConstraint(
            ["user_id", "session_id"],
            ["sessions.user_id", "sessions.session_id"],
            name="deployments_session",
            ondelete="CASCADE",
        ),
    )
    made = sa.text("bot_id IS NOT NULL")
    op.create_index(
        "deployments_by_bot",
        "deployments",
        ["bot_id", "updated_at"],
        sqlite_where=made,
        postgresql_where=made,
    )


def downgrade() -> None:
    """Drops the table with all that is in it."""
    op.drop_index("deployments_by_bot", "deployments")
    op.drop_table("deployments")


def _name(column: str, *, nullable: bool = False) -> sa.Column[str]:
    # Ordered by code point in Postgres too, whatever its locale.
    collation = "C" if op.get_bind().dialect.name == "postgresql" else None
    return sa.Column(column, sa.Text(collation=collation), nullable=nullable)
