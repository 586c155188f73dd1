"""Limits on real stores: two open stores on one database stand for two instances."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.sessions.port import Store
from shared.sessions.sql.store import SqlStore
from tests.contracts.session_values import SetClock


@pytest.fixture
def clock() -> SetClock:
    """The time, for the test and for the stores."""
    return SetClock()


@pytest.fixture
async def store(database_url: str, clock: SetClock) -> AsyncIterator[Store]:
    """An open store on a database of its own."""
    async with await SqlStore.open(database_url, clock=clock) as opened:
        yield opened


@pytest.fixture
async def other_store(database_url: str, store: Store, clock: SetClock) -> AsyncIterator[Store]:
    """The same database, opened by another instance."""
    async with await SqlStore.open(database_url, clock=clock) as opened:
        yield opened
