"""What users use, their secrets, named leases; indexes for what is tidied away."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_INDEXES = (
    ("tool_calls_by_start", "tool_calls", "started_at", None),
    ("outbox_by_publication", "outbox", "published_at", "published_at IS NOT NULL"),
    ("usage_days_by_day", "usage_days", "day", None),
    ("usage_reservations_by_lease", "usage_reservations", "lease_until", None),
    ("permits_by_end", "permits", "ends_at", None),
)


def upgrade() -> None:
    """Makes the tables."""
    _usage()
    op.create_table(
        "user_secrets",
        _name("user_id"),
        _name("name"),
        sa.Column("value", sa.LargeBinary, nullable=False),
        _number("updated_at"),
        sa.PrimaryKeyConstraint("user_id", "name"),
    )
    op.create_table(
        "named_leases",
        _name("name"),
        _name("holder"),
        _number("lease_until"),
        sa.PrimaryKeyConstraint("name"),
    )
    for index, table, column, condition in _INDEXES:
        where = None if condition is None else sa.text(condition)
        op.create_index(index, table, [column], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Drops the tables with all that is in them."""
    for index, table, _, _ in _INDEXES:
        op.drop_index(index, table)
    for name in ("named_leases", "user_secrets", "permits", "usage_reservations", "usage_days"):
        op.drop_table(name)


def _usage() -> None:
    op.create_table(
        "usage_days",
        _name("user_id"),
        _number("day"),
        _number("tokens"),
        _number("micros"),
        sa.PrimaryKeyConstraint("user_id", "day"),
    )
    op.create_table(
        "usage_reservations",
        _name("user_id"),
        _name("reservation_id"),
        _number("day"),
        _number("tokens"),
        _number("micros"),
        sa.Column("settled", sa.Boolean, nullable=False),
        _number("lease_until"),
        sa.PrimaryKeyConstraint("user_id", "reservation_id"),
    )
    op.create_table(
        "permits",
        _name("user_id"),
        _name("kind"),
        _number("length"),
        _number("ends_at"),
        _number("used"),
        sa.PrimaryKeyConstraint("user_id", "kind", "length"),
    )


def _number(column: str) -> sa.Column[int]:
    return sa.Column(column, sa.BigInteger, nullable=False)


def _name(column: str) -> sa.Column[str]:
    # Ordered by code point in Postgres too, whatever its locale.
    collation = "C" if op.get_bind().dialect.name == "postgresql" else None
    return sa.Column(column, sa.Text(collation=collation), nullable=False)
