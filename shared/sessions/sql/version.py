"""Which migration a database is at: asked at every opening, so without Alembic."""

from __future__ import annotations

from sqlalchemy import Connection, Text, column, inspect, select, table

from shared.errors import ConfigurationError
from shared.sessions.sql.schema import HEAD

_TABLE = "alembic_version"
_VERSION = select(column("version_num", Text)).select_from(table(_TABLE))


def version_of(conn: Connection) -> str | None:
    """The migration that the database is at; None when it has none of our tables."""
    found: str | None = conn.execute(_VERSION).scalar() if inspect(conn).has_table(_TABLE) else None
    return found


def check_version(conn: Connection) -> None:
    """Returns when the tables are this release's, or a later one's: later ones keep what we use.

    Raises:
        ConfigurationError: the database is behind; says what to run.
    """
    found = version_of(conn)
    if found is None or found < HEAD:
        raise behind(found)


def behind(found: str | None) -> ConfigurationError:
    """The error for a database at an earlier migration, or at none."""
    return ConfigurationError(
        f"DATABASE_URL: the database is at migration {found or 'none'}, this release needs {HEAD}; "
        "run python -m shared.sessions.migrate"
    )
