"""Brings a database to this release's tables: `python -m shared.sessions.migrate`.

`--show` tells where it is, `--to REVISION` stops there, and with `--drop` also goes back to an earlier one.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import URL, Connection, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from shared.errors import AppError, ConfigurationError
from shared.sessions.sql.failures import app_error
from shared.sessions.sql.runner import open_runner
from shared.sessions.sql.schema import HEAD
from shared.sessions.sql.version import check_version, version_of
from shared.settings import read_settings

_SCRIPTS = Path(__file__).parent / "migrations"
# Any number that nothing else locks in this database.
_LOCK = 7_404_306_901


async def migrate(database_url: str, *, to: str = HEAD, drop: bool = False) -> None:
    """Applies the migrations up to `to` that the database lacks, in one transaction; makes a SQLite file.

    Several calls at once are safe: one applies them, the others wait and find nothing to do. A database that
    is at a later one, or a later release's, is left as it is; with `drop` it is taken back to `to`, and what
    the later ones had made goes with all that is in it.

    Raises:
        ConfigurationError: the URL is wrong, `to` is no migration, or what it is at is not known here.
        StoreUnavailableError: the database does not answer or cannot be written.
    """
    # Also refuses URLs that no runner takes.
    await open_runner(database_url).close()
    url = make_url(database_url)
    try:
        if url.get_backend_name() == "sqlite":
            await asyncio.to_thread(_migrate_sqlite, url.database or "", to, drop)
        else:
            await _migrate_postgres(url, to, drop)
    except (SQLAlchemyError, OSError) as error:
        raise app_error(error) from error


async def migration_of(database_url: str) -> str | None:
    """The migration that the database is at; None when it has none of our tables.

    Raises:
        ConfigurationError: the URL is wrong.
        StoreUnavailableError: the database does not answer.
    """
    runner = open_runner(database_url)
    try:
        return await runner.read(version_of)
    finally:
        await runner.close()


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


def _migrate_sqlite(path: str, to: str, drop: bool) -> None:
    from shared.sessions.sql.sqlite import open_engine

    Path(path).absolute().parent.mkdir(parents=True, exist_ok=True)
    with open_engine(path, create=True).connect() as conn, conn.begin():
        conn.exec_driver_sql("BEGIN IMMEDIATE")
        _go(conn, to, drop)


async def _migrate_postgres(url: URL, to: str, drop: bool) -> None:
    from shared.sessions.sql.postgres import open_engine

    engine = open_engine(url)
    try:
        async with engine.begin() as conn:
            await conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            await conn.run_sync(_go, to, drop)
    finally:
        await engine.dispose()


def _go(conn: Connection, to: str, drop: bool) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = conn
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if to not in known:
        raise ConfigurationError(f"--to: there is no migration {to[:20]}; there are {sorted(known)}")
    found = version_of(conn)
    # As at every start: migrations are named in their order.
    if found is None or found < to:
        command.upgrade(config, to)
    elif found > to and drop:
        if found not in known:
            raise ConfigurationError(
                f"DATABASE_URL: the database is at migration {found}, which this release does not know: "
                "take it back with the release that made it"
            )
        command.downgrade(config, to)


async def _told(database_url: str) -> str:
    found = await migration_of(database_url)
    return f"the database is at migration {found or 'none'}; this release needs {HEAD}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Migrates the database of the settings; 0 when done, 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="python -m shared.sessions.migrate", description=__doc__)
    parser.add_argument("--show", action="store_true", help="only tell where the database is")
    parser.add_argument("--to", default=HEAD, metavar="REVISION", help="the newest when left out")
    parser.add_argument("--drop", action="store_true", help="go back to --to, and lose what came after it")
    chosen = parser.parse_args(arguments)
    try:
        url = read_settings().database
        if not chosen.show:
            asyncio.run(migrate(url, to=chosen.to, drop=chosen.drop))
        sys.stdout.write(asyncio.run(_told(url)) + "\n")
    except AppError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
