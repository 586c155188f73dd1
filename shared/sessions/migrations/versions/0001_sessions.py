"""Sessions, turns, steps, idempotency keys, outbox, artifacts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the tables."""
    _sessions()
    _turns()
    _idempotency()
    _outbox()
    _artifacts()


def downgrade() -> None:
    """Drops the tables with all that is in them."""
    tables = ("artifact_versions", "artifacts", "outbox", "idempotency", "steps", "turns", "sessions")
    for name in tables:
        op.drop_table(name)


def _name(column: str, *, nullable: bool = False) -> sa.Column[str]:
    # Ordered by code point in Postgres too, whatever its locale.
    collation = "C" if op.get_bind().dialect.name == "postgresql" else None
    return sa.Column(column, sa.Text(collation=collation), nullable=nullable)


def _to_session(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["user_id", "session_id"],
        ["sessions.user_id", "sessions.session_id"],
        name=name,
        ondelete="CASCADE",
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        _name("user_id"),
        _name("session_id"),
        sa.Column("title", sa.LargeBinary, nullable=False),
        sa.Column("untitled", sa.Boolean, nullable=False),
        sa.Column("context", sa.LargeBinary, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("deleted_at", sa.BigInteger),
        _name("running_turn_id", nullable=True),
        sa.Column("lease_until", sa.BigInteger),
        sa.Column("lease_token", sa.BigInteger, nullable=False),
        sa.Column("next_turn_number", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "session_id"),
    )
    listed = sa.text("deleted_at IS NULL")
    op.create_index(
        "sessions_by_update",
        "sessions",
        ["user_id", "updated_at", "session_id"],
        sqlite_where=listed,
        postgresql_where=listed,
    )


def _turns() -> None:
    op.create_table(
        "turns",
        _name("user_id"),
        _name("session_id"),
        sa.Column("number", sa.BigInteger, nullable=False),
        _name("turn_id"),
        sa.Column("request", sa.LargeBinary, nullable=False),
        sa.Column("prompt_version", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("lease_token", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("completed_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("user_id", "session_id", "number"),
        sa.UniqueConstraint("user_id", "turn_id", name="turns_by_id"),
        _to_session("turns_session"),
    )
    op.create_table(
        "steps",
        _name("user_id"),
        _name("session_id"),
        sa.Column("turn_number", sa.BigInteger, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "session_id", "turn_number", "number"),
        sa.ForeignKeyConstraint(
            ["user_id", "session_id", "turn_number"],
            ["turns.user_id", "turns.session_id", "turns.number"],
            name="steps_turn",
            ondelete="CASCADE",
        ),
    )


def _idempotency() -> None:
    op.create_table(
        "idempotency",
        _name("user_id"),
        _name("key"),
        sa.Column("body_hash", sa.Text, nullable=False),
        _name("turn_id"),
        _name("session_id"),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "key"),
    )
    op.create_index("idempotency_by_expiry", "idempotency", ["expires_at"])


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column(
            "sequence",
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
        sa.Column("published_at", sa.BigInteger),
        sa.UniqueConstraint("user_id", "event_id", name="outbox_by_event"),
        sqlite_autoincrement=True,
    )
    unpublished = sa.text("published_at IS NULL")
    op.create_index(
        "outbox_unpublished",
        "outbox",
        ["sequence"],
        sqlite_where=unpublished,
        postgresql_where=unpublished,
    )


def _artifacts() -> None:
    op.create_table(
        "artifacts",
        _name("user_id"),
        _name("session_id"),
        _name("filename"),
        sa.Column("newest", sa.BigInteger, nullable=False),
        sa.Column("deleted_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("user_id", "session_id", "filename"),
        _to_session("artifacts_session"),
    )
    op.create_table(
        "artifact_versions",
        _name("user_id"),
        _name("session_id"),
        _name("filename"),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("mime_type", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("object_key", sa.Text, nullable=False),
        sa.Column("quality_score", sa.Integer),
        sa.Column("findings", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "session_id", "filename", "version"),
        sa.ForeignKeyConstraint(
            ["user_id", "session_id", "filename"],
            ["artifacts.user_id", "artifacts.session_id", "artifacts.filename"],
            name="artifact_versions_artifact",
            ondelete="CASCADE",
        ),
    )
