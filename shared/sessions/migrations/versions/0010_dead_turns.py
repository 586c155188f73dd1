"""Sessions that a turn holds, found without looking at those that are free."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the index."""
    held = sa.text("running_turn_id IS NOT NULL")
    op.create_index(
        "sessions_held", "sessions", ["running_turn_id"], sqlite_where=held, postgresql_where=held
    )


def downgrade() -> None:
    """Drops it."""
    op.drop_index("sessions_held", "sessions")
