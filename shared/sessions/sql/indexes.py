"""The tables with their indexes, as migrations compare them.

Apart from schema.py, for SQLAlchemy loads the dialect that an index's `postgresql_where` names, and a
process on SQLite should not wait for it.
"""

from __future__ import annotations

from sqlalchemy import Index, and_

from shared.sessions.sql.schema import (
    artifact_versions,
    bot_events,
    dead_letters,
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

Index("sessions_by_id", sessions.c.session_id)
_about_bots = bot_events.c.bot_id.is_not(None)
Index(
    "bot_events_by_bot",
    bot_events.c.user_id,
    bot_events.c.bot_id,
    bot_events.c.occurred_at,
    bot_events.c.event_key,
    sqlite_where=_about_bots,
    postgresql_where=_about_bots,
)
Index("bot_events_by_receipt", bot_events.c.received_at)
_letter_waits = dead_letters.c.settled_at.is_(None)
Index(
    "dead_letters_waiting",
    dead_letters.c.received_at,
    dead_letters.c.letter_id,
    sqlite_where=_letter_waits,
    postgresql_where=_letter_waits,
)
_waits_for_bot = and_(_letter_waits, dead_letters.c.bot_id.is_not(None))
Index(
    "dead_letters_by_bot",
    dead_letters.c.bot_id,
    sqlite_where=_waits_for_bot,
    postgresql_where=_waits_for_bot,
)
Index("dead_letters_by_receipt", dead_letters.c.received_at)

__all__ = ["metadata"]
