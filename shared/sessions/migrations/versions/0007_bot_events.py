"""Events about bots, the newest facts of them, and events that could not be applied."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the tables, and the mark of sessions that have facts."""
    op.add_column("sessions", sa.Column("has_facts", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index("sessions_by_id", "sessions", ["session_id"])
    _make_events()
    _make_facts()
    _make_letters()


def downgrade() -> None:
    """Drops them with all that is in them."""
    op.drop_table("dead_letters")
    op.drop_table("bot_facts")
    op.drop_table("bot_events")
    op.drop_index("sessions_by_id", "sessions")
    op.drop_column("sessions", "has_facts")


def _make_events() -> None:
    op.create_table(
        "bot_events",
        _name("user_id"),
        _name("session_id"),
        _name("event_key"),
        _name("bot_id", nullable=True),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("occurred_at", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "session_id", "event_key"),
        _of_session("bot_events_session"),
    )
    about_bots = sa.text("bot_id IS NOT NULL")
    op.create_index(
        "bot_events_by_bot",
        "bot_events",
        ["user_id", "bot_id", "occurred_at", "event_key"],
        sqlite_where=about_bots,
        postgresql_where=about_bots,
    )
    op.create_index("bot_events_by_receipt", "bot_events", ["received_at"])


def _make_facts() -> None:
    op.create_table(
        "bot_facts",
        _name("user_id"),
        _name("session_id"),
        _name("bot_id"),
        _name("kind"),
        sa.Column("occurred_at", sa.BigInteger, nullable=False),
        _name("event_key"),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "session_id", "bot_id", "kind"),
        _of_session("bot_facts_session"),
    )


def _make_letters() -> None:
    op.create_table(
        "dead_letters",
        _name("letter_id"),
        _name("user_id"),
        sa.Column("reason", sa.Text, nullable=False),
        _name("bot_id", nullable=True),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("settled_at", sa.BigInteger),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("letter_id"),
    )
    waiting = sa.text("settled_at IS NULL")
    op.create_index(
        "dead_letters_waiting",
        "dead_letters",
        ["received_at", "letter_id"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    of_bots = sa.text("settled_at IS NULL AND bot_id IS NOT NULL")
    op.create_index(
        "dead_letters_by_bot", "dead_letters", ["bot_id"], sqlite_where=of_bots, postgresql_where=of_bots
    )
    op.create_index("dead_letters_by_receipt", "dead_letters", ["received_at"])


def _of_session(constraint: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["user_id", "session_id"],
        ["sessions.user_id", "sessions.session_id"],
        name=constraint,
        ondelete="CASCADE",
    )


def _name(column: str, *, nullable: bool = False) -> sa.Column[str]:
    # Ordered by code point in Postgres too, whatever its locale.
    collation = "C" if op.get_bind().dialect.name == "postgresql" else None
    return sa.Column(column, sa.Text(collation=collation), nullable=nullable)
