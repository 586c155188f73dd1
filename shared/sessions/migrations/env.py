"""Alembic's environment: runs migrations on the connection that migrate.py opened, in its transaction."""

from __future__ import annotations

from alembic import context

from shared.sessions.sql.indexes import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite changes a table by making it anew.
    render_as_batch=True,
)
context.run_migrations()
