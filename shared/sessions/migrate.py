"""Brings a database to this release's tables: `python -m shared.sessions.migrate`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from sqlalchemy import URL, Connection, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from shared.errors import AppError
from shared.sessions.sql.failures import app_error
from shared.sessions.sql.runner import open_runner
from shared.sessions.sql.version import check_version
from shared.settings import read_settings

_SCRIPTS = Path(__file__).parent / "migrations"
# Any number that nothing else locks in this database.
_LOCK = 7_404_306_901


async def migrate(database_url: str) -> None:
    """Applies all migrations that the database lacks, in one transaction; makes a SQLite file if need be.

    Several calls at once are safe: one applies them, the others wait and find nothing to do.

    Raises:
        ConfigurationError: the URL is wrong.
        StoreUnavailableError: the database does not answer or cannot be written.
    """
    # Also refuses URLs that no runner takes.
    await open_runner(database_url).close()
    url = make_url(database_url)
    try:
        if url.get_backend_name() == "sqlite":
            await asyncio.to_thread(_migrate_sqlite, url.database or "")
        else:
            await _migrate_postgres(url)
    except (SQLAlchemyError, OSError) as error:
        raise app_error(error) from error


async def verify(database_url: str) -> None:
    """Returns when the database is at this release's tables; changes nothing.

    Raises:
        ConfigurationError: it is behind; says what to run.
        StoreUnavailableError: the database does not answer.
    """
    runner = open_runner(database_url)
    try:
        await runner.read(check_version)
    finally:
        await runner.close()


def _migrate_sqlite(path: str) -> None:
    from shared.sessions.sql.sqlite import open_engine

    Path(path).absolute().parent.mkdir(parents=True, exist_ok=True)
    with open_engine(path, create=True).connect() as conn, conn.begin():
        conn.exec_driver_sql("BEGIN IMMEDIATE")
        _upgrade(conn)


async def _migrate_postgres(url: URL) -> None:
    from shared.sessions.sql.postgres import open_engine

    engine = open_engine(url)
    try:
        async with engine.begin() as conn:
            await conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            await conn.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _upgrade(conn: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = conn
    command.upgrade(config, "head")


def main() -> int:
    """Migrates the database of the settings; 0 when done, 1 with the reason on standard error."""
    try:
        asyncio.run(migrate(read_settings().database))
    except AppError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
