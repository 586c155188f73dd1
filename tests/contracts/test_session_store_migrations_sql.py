"""Migrations, what opening a store asks of them, and the URLs it takes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from shared.errors import ConfigurationError, StoreUnavailableError
from shared.keys import SessionKey
from shared.sessions import migrate as migration
from shared.sessions.migrate import migrate, migration_of, verify
from shared.sessions.select import open_store
from shared.sessions.sql.indexes import metadata
from shared.sessions.sql.runner import open_runner
from shared.sessions.sql.schema import HEAD
from shared.sessions.sql.store import SqlStore
from shared.sessions.sql.version import check_version
from shared.settings import read_settings
from tests.contracts.planted import plant, read_all
from tests.contracts.session_values import SetClock, artifact, new_turn
from tests.servers.agent_process import ROOT, run_command, run_fresh_command
from tests.servers.postgres import PostgresServer


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables; for SQLite not even the folder of its file."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/new folder/50%.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.create_empty_database(f"empty_{tmp_path.parent.name}_{tmp_path.name}"[-60:])


def _differences(conn: Connection) -> list[Any]:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    def differs(_context: Any, _found: Any, _wanted: Any, found: Any, wanted: Any) -> bool:
        # Alembic's own comparison does not see the collation inside our type.
        def written(kind: Any) -> str:
            return str(conn.dialect.type_compiler_instance.process(kind.dialect_impl(conn.dialect)))

        return written(found) != written(wanted)

    context = MigrationContext.configure(conn, opts={"compare_type": differs})
    return list(compare_metadata(context, metadata))


async def test_an_empty_database_is_behind_until_it_is_migrated(empty_url: str) -> None:
    for _ in range(2):
        with pytest.raises((ConfigurationError, StoreUnavailableError)) as behind:
            await verify(empty_url)
        assert isinstance(behind.value, ConfigurationError)
        assert "python -m shared.sessions.migrate" in behind.value.message
    await migrate(empty_url)
    await verify(empty_url)
    await migrate(empty_url)


async def test_migrating_at_once_is_safe(empty_url: str) -> None:
    await asyncio.gather(*(migrate(empty_url) for _ in range(4)))
    await verify(empty_url)


async def test_the_migrations_make_the_tables_of_the_schema(empty_url: str) -> None:
    await migrate(empty_url)
    runner = open_runner(empty_url)
    assert await runner.read(_differences) == []
    await runner.close()


def _set_version(conn: Connection, version: str) -> None:
    conn.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})


async def test_a_database_of_an_older_release_is_behind_and_of_a_newer_one_is_not(database_url: str) -> None:
    runner = open_runner(database_url)
    for version in ("0000", "9999"):
        await runner.write(partial(_set_version, version=version))
        if version < HEAD:
            with pytest.raises(ConfigurationError, match=f"at migration {version}"):
                await verify(database_url)
        else:
            await verify(database_url)
    await runner.close()


def test_the_head_is_the_newest_migration() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(migration.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


async def test_a_migration_can_be_taken_back(empty_url: str) -> None:
    from alembic import command
    from alembic.config import Config

    await migrate(empty_url)
    config = Config()
    scripts = Path(migration.__file__).parent / "migrations"
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    runner = open_runner(empty_url)

    def downgrade(conn: Connection) -> None:
        config.attributes["connection"] = conn
        command.downgrade(config, "base")

    await runner.write(downgrade)
    with pytest.raises(ConfigurationError):
        await runner.read(check_version)
    await runner.close()
    await migrate(empty_url)
    await verify(empty_url)


async def test_files_of_an_earlier_release_keep_their_numbers(empty_url: str) -> None:
    await migrate(empty_url)
    key = SessionKey(user_id="alice", session_id="s-1")
    now = datetime(2026, 3, 1, tzinfo=UTC)
    async with await SqlStore.open(empty_url) as store:
        await store.create_session(key=key, title="T", context={}, now=now)
        for version in (1, 2):
            await store.add_version(artifact=artifact(key, now, version=version), max_files=1)
    await migrate(empty_url, to="0002", drop=True)
    await migrate(empty_url)
    async with await SqlStore.open(empty_url) as store:
        assert not await store.add_version(artifact=artifact(key, now, version=2), max_files=1)
        assert await store.add_version(artifact=artifact(key, now, version=3), max_files=1)
        assert [found.version for found in await store.list_artifacts(session=key)] == [3]
        assert (await store.begin_turn(new=new_turn(key, now))).lease is not None


async def test_a_database_goes_back_only_when_it_may_lose_something(empty_url: str, clock: SetClock) -> None:
    await migrate(empty_url, to="0007")
    assert await migration_of(empty_url) == "0007"
    await migrate(empty_url)
    async with await SqlStore.open(empty_url, clock=clock) as store:
        await plant(store, clock)
        all_of_it = await read_all(store)
    await migrate(empty_url, to="0007")
    assert await migration_of(empty_url) == HEAD
    await migrate(empty_url, to="0007", drop=True)
    assert await migration_of(empty_url) == "0007"
    with pytest.raises(ConfigurationError, match="at migration 0007"):
        await verify(empty_url)
    await migrate(empty_url)
    async with await SqlStore.open(empty_url, clock=clock) as store:
        assert await read_all(store) == all_of_it


async def test_a_database_of_a_later_release_is_left_as_it_is(database_url: str) -> None:
    runner = open_runner(database_url)
    await runner.write(partial(_set_version, version="9999"))
    await migrate(database_url)
    assert await migration_of(database_url) == "9999"
    with pytest.raises(ConfigurationError, match="with the release that made it"):
        await migrate(database_url, to="0007", drop=True)
    with pytest.raises(ConfigurationError, match="there is no migration 1234"):
        await migrate(database_url, to="1234")
    await runner.close()


def test_the_command_migrates_the_database_of_the_settings(tmp_path: Path) -> None:
    env = {"DATA_DIR": str(tmp_path), "PATH": ""}
    done = run_fresh_command("shared.sessions.migrate", environment=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert f"is at migration {HEAD}".encode() in done.stdout
    assert (tmp_path / "agent.db").exists()
    shown = run_command("shared.sessions.migrate", "--show", environment=env)
    assert (shown.returncode, shown.stdout) == (0, done.stdout)
    env["DATABASE_URL"] = "mysql://secret@host/x"
    refused = run_command("shared.sessions.migrate", environment=env)
    assert refused.returncode == 1
    assert b"DATABASE_URL" in refused.stderr
    assert b"secret" not in refused.stderr


@pytest.mark.parametrize(
    "url",
    [
        "firestore://secret@h/d",
        "mysql://secret@h/d",
        "secret",
        "postgresql://secret@h:port/d",
        "sqlite://",
    ],
)
async def test_other_urls_are_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        await open_store(read_settings({"DATABASE_URL": url}))
    assert "DATABASE_URL" in refused.value.message
    assert "secret" not in refused.value.message


async def test_all_spellings_of_a_url_open_a_store(sqlite_url: str, postgres: PostgresServer) -> None:
    postgres_url = postgres.create_database()
    database = postgres_url.rpartition("/")[2]
    urls = [
        sqlite_url,
        sqlite_url.replace("+aiosqlite", ""),
        postgres_url,
        postgres_url.replace("postgresql:", "postgresql+asyncpg:"),
        postgres_url + "?sslmode=disable",
        f"postgresql://postgres@/{database}?host={postgres.folder}&port={postgres.port}",
    ]
    for url in urls:
        store = await open_store(read_settings({"DATABASE_URL": url}))
        await store.check()
        await store.close()


def test_opening_sqlite_imports_neither_alembic_nor_an_orm_nor_a_postgres_driver(sqlite_url: str) -> None:
    program = f"""
import asyncio, json, sys
from shared.sessions.select import open_store
from shared.settings import read_settings
before = set(sys.modules)
async def main():
    await (await open_store(read_settings({{"DATABASE_URL": {sqlite_url!r}}}))).close()
asyncio.run(main())
print(json.dumps([sorted(before), sorted(sys.modules)]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, timeout=60
    )
    before, after = json.loads(done.stdout)
    assert "sqlalchemy" not in before
    loaded = {
        name for name in after if name.startswith(("alembic", "asyncpg", "sqlalchemy.orm", "aiosqlite"))
    }
    assert loaded == set()
