"""A Firestore store, its clock and its costs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.keys import SessionKey
from shared.sessions.firestore.client import Documents
from shared.sessions.firestore.store import FirestoreStore
from tests.contracts.session_values import SetClock, session_key


@pytest.fixture
def clock() -> SetClock:
    """The time, for the test and for the store."""
    return SetClock()


@pytest.fixture
def key() -> SessionKey:
    """The session most tests are about."""
    return session_key()


@pytest.fixture
async def store(firestore_url: str, clock: SetClock) -> AsyncIterator[FirestoreStore]:
    """An open store on an empty database."""
    async with await FirestoreStore.open(firestore_url, clock=clock) as opened:
        yield opened


@pytest.fixture
def documents(store: FirestoreStore) -> Documents:
    """What the store reads and writes through."""
    return store.documents
