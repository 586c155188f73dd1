"""The stores under contract, each test over each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.keys import SessionKey
from shared.sessions.port import Store
from tests.contracts.session_values import SetClock, session_key

# Each names a fixture `<name>_url` that gives a new, empty, migrated database.
BACKENDS = ("sqlite", "postgres", "firestore")


async def open_store(url: str, clock: SetClock) -> Store:
    """A store on the database of the URL; to be closed by the caller."""
    match url.partition(":")[0].partition("+")[0]:
        case "sqlite" | "postgresql":
            from shared.sessions.sql.store import SqlStore

            return await SqlStore.open(url, clock=clock)
        case "firestore":
            from shared.sessions.firestore.store import FirestoreStore

            return await FirestoreStore.open(url, clock=clock)
        case other:
            raise AssertionError(f"no store for {other}")


@pytest.fixture
def clock() -> SetClock:
    """The time, for the test and for the store."""
    return SetClock()


@pytest.fixture(params=BACKENDS)
def store_url(request: pytest.FixtureRequest) -> str:
    """A new database of each backend. Tests that read tables take `database_url`, and sit in *_sql.py."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def store(store_url: str, clock: SetClock) -> AsyncIterator[Store]:
    """An open store on a database of its own."""
    opened = await open_store(store_url, clock)
    yield opened
    await opened.close()


@pytest.fixture
async def other_store(store: Store, store_url: str, clock: SetClock) -> AsyncIterator[Store]:
    """Another instance on the same database."""
    opened = await open_store(store_url, clock)
    yield opened
    await opened.close()


@pytest.fixture
def key() -> SessionKey:
    """The session most tests are about."""
    return session_key()
