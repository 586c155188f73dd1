"""Fixtures of the fault tests: servers of their own, as they are stopped and killed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.faults.deployment import Deployment
from tests.faults.script import Script
from tests.servers.gemini import GeminiServer, gemini_server
from tests.servers.postgres import PostgresServer, postgres_server


@pytest.fixture(scope="module")
def mortal_postgres() -> Iterator[PostgresServer]:
    """A Postgres server of the module's own, which its tests may crash."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def kept_postgres_url(mortal_postgres: PostgresServer) -> str:
    """A new migrated database whose commits outlive a crash of its server."""
    return mortal_postgres.create_lasting_database()


@pytest.fixture
def kept_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The database that the test is parametrized with: `sqlite` or `postgres`."""
    if request.param == "sqlite":
        (tmp_path / "data").mkdir()
        return f"sqlite+aiosqlite:///{tmp_path}/data/agent.db"
    url: str = request.getfixturevalue("kept_postgres_url")
    return url


@pytest.fixture
def script() -> Script:
    """What the model says in the test."""
    return Script()


@pytest.fixture
def model(script: Script) -> Iterator[GeminiServer]:
    """A Gemini server that plays the script; a request that the real service would refuse fails the test."""
    with gemini_server() as server:
        server.always(script)
        yield server
    assert not server.violations, server.violations


@pytest.fixture
async def deployment(tmp_path: Path, model: GeminiServer, kept_url: str) -> AsyncIterator[Deployment]:
    """An agent on that database and model, not started yet; its leases last three seconds."""
    async with Deployment(tmp_path, model, kept_url) as made:
        yield made
