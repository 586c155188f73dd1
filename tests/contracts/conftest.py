"""The stores under contract, each test over each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.keys import SessionKey
from shared.sessions.port import Store
from shared.sessions.sql.store import SqlStore
from tests.contracts.session_values import SetClock, session_key


@pytest.fixture
def clock() -> SetClock:
    """The time, for the test and for the store."""
    return SetClock()


@pytest.fixture
async def store(database_url: str, clock: SetClock) -> AsyncIterator[Store]:
    """An open store on a database of its own."""
    async with await SqlStore.open(database_url, clock=clock) as opened:
        yield opened


@pytest.fixture
def key() -> SessionKey:
    """The session most tests are about."""
    return session_key()
