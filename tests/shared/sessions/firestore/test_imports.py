"""A deployment on SQLite or Postgres pays nothing for Firestore, and one on Firestore nothing for SQL."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_SCRIPT = """
import asyncio, sys
from shared.sessions.select import open_store
from shared.settings import read_settings

async def main():
    store = await open_store(read_settings({"DATABASE_URL": sys.argv[1]}))
    await store.list_sessions(user_id="alice", limit=1, cursor=None)
    await store.close()

asyncio.run(main())
print(*sorted(sys.modules))
"""


def imported(repository: Path, url: str) -> set[str]:
    """The modules of a process that has opened and used the store at the URL."""
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, url], cwd=repository, check=True, capture_output=True, text=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("backend", ["sqlite", "postgres"])
def test_sql_never_loads_firestore(request: pytest.FixtureRequest, repository: Path, backend: str) -> None:
    modules = imported(repository, request.getfixturevalue(f"{backend}_url"))
    assert "shared.sessions.sql.store" in modules
    assert [
        name
        for name in modules
        if name.startswith(("google.cloud.firestore", "grpc", "shared.sessions.firestore"))
    ] == []


def test_firestore_never_loads_sql(firestore_url: str, repository: Path) -> None:
    modules = imported(repository, firestore_url)
    assert "google.cloud.firestore_v1" in modules
    assert [
        name for name in modules if name.startswith(("sqlalchemy", "asyncpg", "shared.sessions.sql"))
    ] == []
