"""The tables, and the migration they are at.

Times are microseconds since 1970 (columns.py), bodies are bytes of codec.py: no SQL looks inside one.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from shared.sessions.sql.columns import Name

# The newest file of migrations/versions: opening a store compares it with the database.
HEAD = "0007"

metadata = MetaData()

sessions = Table(
    "sessions",
    metadata,
    Column("user_id", Name, primary_key=True),
    Column("session_id", Name, primary_key=True),
    Column("title", LargeBinary, nullable=False),
    Column("untitled", Boolean, nullable=False),
    Column("context", LargeBinary, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("deleted_at", BigInteger),
    Column("running_turn_id", Name),
    Column("lease_until", BigInteger),
    Column("lease_token", BigInteger, nullable=False),
    Column("next_turn_number", BigInteger, nullable=False),
    # The turn that holds the lease waits for the user's yes.
    Column("paused", Boolean, nullable=False, server_default=false()),
    # Turns wait in line (waiting_turns), and which place comes next.
    Column("has_line", Boolean, nullable=False, server_default=false()),
    Column("next_place", BigInteger, nullable=False, server_default="1"),
    # Events are held until the running turn's end (held_events).
    Column("has_held", Boolean, nullable=False, server_default=false()),
    # Whose lease the last turn to begin took over when it had run out.
    Column("lost_turn_id", Name),
    # Which taking of a turn gave its present lease.
    Column("taking_id", Name),
    Column("summary", LargeBinary),
    Column("summary_through", BigInteger, nullable=False, server_default="0"),
    # Since when retention leaves it alone, and when it took all that was in it.
    Column("held_at", BigInteger),
    Column("emptied_at", BigInteger),
    # Events have told something of it or its bots (bot_facts).
    Column("has_facts", Boolean, nullable=False, server_default=false()),
)

waiting_turns = Table(
    "waiting_turns",
    metadata,
    Column("user_id", Name, primary_key=True),
    Column("session_id", Name, primary_key=True),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("turn_id", Name, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("prompt_version", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("kept_until", BigInteger, nullable=False),
    UniqueConstraint("user_id", "turn_id", name="waiting_turns_by_id"),
    ForeignKeyConstraint(
        ["user_id", "session_id"],
        ["sessions.user_id", "sessions.session_id"],
        name="waiting_turns_session",
        ondelete="CASCADE",
    ),
)

turns = Table(
    "turns",
    metadata,
    Column("user_id", Name, primary_key=True),
    Column("session_id", Name, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("turn_id", Name, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("prompt_version", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("lease_token", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("completed_at", BigInteger),
    UniqueConstraint("user_id", "turn_id", name="turns_by_id"),
    ForeignKeyConstraint(
        ["user_id", "session_id"],
        ["sessions.user_id", "sessions.session_id"],
        name="turns_session",
        ondelete="CASCADE",
    ),
)

steps = Table(
    "steps",
    metadata,
    Column("user_id", Name, primary_key=True),
    Column("session_id", Name, primary_key=True),
    Column("turn_number", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    ForeignKeyConstraint(
        ["user_id", "session_id", "turn_number"],
        ["turns.user_id", "turns.session_id", "turns.number"],
        name="steps_turn",
        ondelete="CASCADE",
    ),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("user_id", Name, primary_key=True),
    Column("key", Name, primary_key=True),
    Column("body_hash", Text, nullable=False),
    Column("turn_id", Name, nullable=False),
    Column("session_id", Name, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    # SQLite counts only in a column of exactly this type.
    Column(
        "sequence",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    Column("event_id", Name, nullable=False),
    Column("user_id", Name, nullable=False),
    Column("session_id", Name, nullable=False),
    Column("type", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # When it came out, where it was held before: None is at once.
    Column("visible_at", BigInteger),
    Column("published_at", BigInteger),
    UniqueConstraint("user_id", "event_id", name="outbox_by_event"),
    sqlite_autoincrement=True,
)

held_events = Table(
    "held_events",
    metadata,
    Column(
        "place",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    Column("event_id", Name, nullable=False),
    Column("user_id", Name, nullable=False),
    Column("session_id", Name, nullable=False),
    Column("type", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("user_id", "session_id", "event_id", name="held_events_by_session"),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("user_id", Name, primary_key=True),
    Column("session_id", Name, primary_key=True),
    Column("filename", Name, primary_key=True),
    # 0 when all its versions were rolled back; `highest` is never given again.
    Column("newest", BigInteger, nullable=False),
    Column("highest", BigInteger, nullable=False, server_default="0"),
    Column("deleted_at", BigInteger),
    ForeignKeyConstraint(
        ["user_id", "session_id"],
        ["sessions.user_id", "sessions.session_id"],
        name="artifacts_session",
        ondelete="CASCADE",
    ),
)

artifact_versions = Table(
    "artifact_versions",
    metadata,
    Column("user_id", Name, primary_key=True),
    Column("session_id", Name, primary_key=True),
    Column("filename", Name, primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("type", Text, nullable=False),
    Column("mime_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("object_key", Text, nullable=False),
    Column("quality_score", Integer),
    Column("findings", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # The turn that saved it, and since when the file was deleted that this version brought back.
    Column("turn_id", Name),
    Column("revived_from", BigInteger),
    ForeignKeyConstraint(
        ["user_id", "session_id", "filename"],
        ["artifacts.user_id", "artifacts.session_id", "artifacts.filename"],
        name="artifact_versions_artifact",
        ondelete="CASCADE",
    ),
)

tool_calls = Table(
    "tool_calls",
    metadata,
    Column("user_id", Name, primary_key=True),
    Column("session_id", Name, primary_key=True),
    Column("call_id", Name, primary_key=True),
    Column("name", Name, nullable=False),
    Column("arguments_hash", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("result", LargeBinary),
    Column("started_at", BigInteger, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
    ForeignKeyConstraint(
        ["user_id", "session_id"],
        ["sessions.user_id", "sessions.session_id"],
        name="tool_calls_session",
        ondelete="CASCADE",
    ),
)

deployments = Table(
    "deployments",
    metadata,
    Column("user_id", Name, primary_key=True),
    Column("session_id", Name, primary_key=True),
    Column("call_id", Name, primary_key=True),
    Column("deployment_id", Name, nullable=False),
    Column("asked", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
    Column("progress", LargeBinary, nullable=False),
    Column("bot_id", Name),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    ForeignKeyConstraint(
        ["user_id", "session_id"],
        ["sessions.user_id", "sessions.session_id"],
        name="deployments_session",
        ondelete="CASCADE",
    ),
)

bot_events = Table(
    "bot_events",
    metadata,
    Column("user_id", Name, primary_key=True),
    Column("session_id", Name, primary_key=True),
    # Of the event's source and id.
    Column("event_key", Name, primary_key=True),
    Column("bot_id", Name),
    Column("type", Text, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    ForeignKeyConstraint(
        ["user_id", "session_id"],
        ["sessions.user_id", "sessions.session_id"],
        name="bot_events_session",
        ondelete="CASCADE",
    ),
)

bot_facts = Table(
    "bot_facts",
    metadata,
    Column("user_id", Name, primary_key=True),
    Column("session_id", Name, primary_key=True),
    # Empty for what is told of the session alone.
    Column("bot_id", Name, primary_key=True),
    Column("kind", Name, primary_key=True),
    Column("occurred_at", BigInteger, nullable=False),
    Column("event_key", Name, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("value", LargeBinary, nullable=False),
    ForeignKeyConstraint(
        ["user_id", "session_id"],
        ["sessions.user_id", "sessions.session_id"],
        name="bot_facts_session",
        ondelete="CASCADE",
    ),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("letter_id", Name, primary_key=True),
    # For whom its body is sealed: no user.
    Column("user_id", Name, nullable=False),
    Column("reason", Text, nullable=False),
    Column("bot_id", Name),
    Column("received_at", BigInteger, nullable=False),
    # Since when it waits no more: it was applied, or given up.
    Column("settled_at", BigInteger),
    Column("body", LargeBinary, nullable=False),
)

usage_days = Table(
    "usage_days",
    metadata,
    Column("user_id", Name, primary_key=True),
    # Days since 1970.
    Column("day", BigInteger, primary_key=True, autoincrement=False),
    Column("tokens", BigInteger, nullable=False),
    Column("micros", BigInteger, nullable=False),
)

usage_reservations = Table(
    "usage_reservations",
    metadata,
    Column("user_id", Name, primary_key=True),
    Column("reservation_id", Name, primary_key=True),
    Column("day", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("micros", BigInteger, nullable=False),
    Column("settled", Boolean, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
)

permits = Table(
    "permits",
    metadata,
    Column("user_id", Name, primary_key=True),
    Column("kind", Name, primary_key=True),
    # Of the window, in microseconds.
    Column("length", BigInteger, primary_key=True, autoincrement=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("used", BigInteger, nullable=False),
)

user_secrets = Table(
    "user_secrets",
    metadata,
    Column("user_id", Name, primary_key=True),
    Column("name", Name, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

named_leases = Table(
    "named_leases",
    metadata,
    Column("name", Name, primary_key=True),
    Column("holder", Name, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
)

work_places = Table(
    "work_places",
    metadata,
    Column("name", Name, primary_key=True),
    Column("place", Text, nullable=False),
)
