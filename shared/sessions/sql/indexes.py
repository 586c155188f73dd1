"""The tables with their indexes, as migrations compare them.

Apart from schema.py, for SQLAlchemy loads the dialect that an index's `postgresql_where` names, and a
process on SQLite should not wait for it.
"""

from __future__ import annotations

from sqlalchemy import Index, and_

from shared.sessions.sql.schema import (
    artifact_versions,
    deployments,
    idempotency,
    metadata,
    outbox,
    permits,
    sessions,
    tool_calls,
    usage_days,
    usage_reservations,
)

_listed = sessions.c.deleted_at.is_(None)
Index(
    "sessions_by_update",
    sessions.c.user_id,
    sessions.c.updated_at,
    sessions.c.session_id,
    sqlite_where=_listed,
    postgresql_where=_listed,
)

# Of the turn, not of its lease: that is renewed all the time.
_held = sessions.c.running_turn_id.is_not(None)
Index("sessions_held", sessions.c.running_turn_id, sqlite_where=_held, postgresql_where=_held)

Index("idempotency_by_expiry", idempotency.c.expires_at)

_unpublished = outbox.c.published_at.is_(None)
Index(
    "outbox_unpublished",
    outbox.c.sequence,
    sqlite_where=_unpublished,
    postgresql_where=_unpublished,
)

Index("tool_calls_by_start", tool_calls.c.started_at)
_published = outbox.c.published_at.is_not(None)
Index(
    "outbox_by_publication",
    outbox.c.published_at,
    sqlite_where=_published,
    postgresql_where=_published,
)
_made = deployments.c.bot_id.is_not(None)
Index(
    "deployments_by_bot",
    deployments.c.bot_id,
    deployments.c.updated_at,
    sqlite_where=_made,
    postgresql_where=_made,
)
Index("usage_days_by_day", usage_days.c.day)
Index("usage_reservations_by_lease", usage_reservations.c.lease_until)
Index("permits_by_end", permits.c.ends_at)

_to_empty = and_(sessions.c.deleted_at.is_not(None), sessions.c.emptied_at.is_(None))
Index(
    "sessions_to_empty",
    sessions.c.user_id,
    sessions.c.session_id,
    sqlite_where=_to_empty,
    postgresql_where=_to_empty,
)
Index("artifact_versions_by_object", artifact_versions.c.object_key)

__all__ = ["metadata"]
