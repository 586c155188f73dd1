"""Turns that wait in line or pause, summaries, held events, what a turn's rollback takes with it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Columns have defaults in the database: a process of the earlier release may serve beside this one.
_SESSION_COLUMNS = (
    "paused",
    "has_line",
    "next_place",
    "has_held",
    "lost_turn_id",
    "taking_id",
    "summary",
    "summary_through",
)


def upgrade() -> None:
    """Adds the tables and columns."""
    _sessions()
    _waiting_turns()
    _events()
    _artifacts()


def downgrade() -> None:
    """Drops them with all that is in them."""
    op.drop_column("artifact_versions", "revived_from")
    op.drop_column("artifact_versions", "turn_id")
    op.drop_column("artifacts", "highest")
    op.drop_column("outbox", "visible_at")
    op.drop_table("held_events")
    op.drop_table("waiting_turns")
    for column in reversed(_SESSION_COLUMNS):
        op.drop_column("sessions", column)


def _name(column: str, *, nullable: bool = False) -> sa.Column[str]:
    # Ordered by code point in Postgres too, whatever its locale.
    collation = "C" if op.get_bind().dialect.name == "postgresql" else None
    return sa.Column(column, sa.Text(collation=collation), nullable=nullable)


def _sessions() -> None:
    columns: tuple[sa.Column[Any], ...] = (
        sa.Column("paused", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("has_line", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("next_place", sa.BigInteger, nullable=False, server_default="1"),
        sa.Column("has_held", sa.Boolean, nullable=False, server_default=sa.false()),
        _name("lost_turn_id", nullable=True),
        _name("taking_id", nullable=True),
        sa.Column("summary", sa.LargeBinary),
        sa.Column("summary_through", sa.BigInteger, nullable=False, server_default="0"),
    )
    for column in columns:
        op.add_column("sessions", column)


def _waiting_turns() -> None:
    op.create_table(
        "waiting_turns",
        _name("user_id"),
        _name("session_id"),
        sa.Column("place", sa.BigInteger, nullable=False),
        _name("turn_id"),
        sa.Column("request", sa.LargeBinary, nullable=False),
        sa.Column("prompt_version", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("kept_until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "session_id", "place"),
        sa.UniqueConstraint("user_id", "turn_id", name="waiting_turns_by_id"),
        sa.ForeignKeyConstraint(
            ["user_id", "session_id"],
            ["sessions.user_id", "sessions.session_id"],
            name="waiting_turns_session",
            ondelete="CASCADE",
        ),
    )


def _events() -> None:
    op.add_column("outbox", sa.Column("visible_at", sa.BigInteger))
    op.create_table(
        "held_events",
        sa.Column(
            "place",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        _name("event_id"),
        _name("user_id"),
        _name("session_id"),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("user_id", "session_id", "event_id", name="held_events_by_session"),
    )


def _artifacts() -> None:
    op.add_column("artifacts", sa.Column("highest", sa.BigInteger, nullable=False, server_default="0"))
    op.execute("UPDATE artifacts SET highest = newest")
    op.add_column("artifact_versions", _name("turn_id", nullable=True))
    op.add_column("artifact_versions", sa.Column("revived_from", sa.BigInteger))
