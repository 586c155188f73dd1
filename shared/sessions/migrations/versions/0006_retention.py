"""Legal holds, emptied sessions, versions by their objects, and how far work over several calls has come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the columns, indexes and the table."""
    op.add_column("sessions", sa.Column("held_at", sa.BigInteger))
    op.add_column("sessions", sa.Column("emptied_at", sa.BigInteger))
    waiting = sa.text("deleted_at IS NOT NULL AND emptied_at IS NULL")
    op.create_index(
        "sessions_to_empty",
        "sessions",
        ["user_id", "session_id"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_index("artifact_versions_by_object", "artifact_versions", ["object_key"])
    # Ordered by code point in Postgres too, whatever its locale.
    collation = "C" if op.get_bind().dialect.name == "postgresql" else None
    op.create_table(
        "work_places",
        sa.Column("name", sa.Text(collation=collation), nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def downgrade() -> None:
    """Drops them; a hold is forgotten."""
    op.drop_table("work_places")
    op.drop_index("artifact_versions_by_object", "artifact_versions")
    op.drop_index("sessions_to_empty", "sessions")
    op.drop_column("sessions", "emptied_at")
    op.drop_column("sessions", "held_at")
