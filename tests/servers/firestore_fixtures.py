"""Firestore for tests: `firestore_url` is an empty database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def firestore() -> Iterator[str]:
    """The host of the run's Firestore server, started at first use; one a worker under xdist."""
    from tests.servers.firestore import firestore_host

    with firestore_host() as host:
        yield host


@pytest.fixture
def firestore_url(firestore: str) -> str:
    """A new database."""
    from tests.servers.firestore import new_database_url

    assert firestore
    return new_database_url()
