"""With encryption keys no document of Firestore holds what users, models or tools said."""

from __future__ import annotations

import base64
import os

from google.cloud import firestore

from shared.sealing import Keyring
from shared.sessions.codec import Codec
from shared.sessions.firestore.store import FirestoreStore
from tests.contracts.planted import found_marks, plant
from tests.contracts.session_values import SetClock

COLLECTIONS = (
    "sessions",
    "turns",
    "parts",
    "keys",
    "files",
    "versions",
    "tool_calls",
    "outbox",
    "usage_days",
    "reservations",
    "permits",
    "secrets",
    "leases",
    "deployments",
    "bot_events",
    "bot_facts",
    "dead_letters",
)


def documents(url: str) -> bytes:
    """Every document of the database, as text and bytes."""
    project, _, database = url.removeprefix("firestore://").partition("/")
    client = firestore.Client(project=project, database=database)
    found: list[bytes] = []

    def add(value: object) -> None:
        if isinstance(value, bytes):
            found.append(value)
        elif isinstance(value, dict):
            for key, inner in value.items():
                add(key)
                add(inner)
        elif isinstance(value, list):
            for inner in value:
                add(inner)
        else:
            found.append(str(value).encode("utf-8", "surrogatepass"))

    for name in COLLECTIONS:
        for document in client.collection(name).stream():
            add(document.id)
            add(document.to_dict())
    # The library has no types.
    client.close()  # type: ignore[no-untyped-call]
    return b"\n".join(found)


async def planted(url: str, clock: SetClock, keyring: Keyring) -> tuple[set[str], set[str]]:
    """The marks that were planted, and those that are found."""
    async with await FirestoreStore.open(url, codec=Codec(keyring), clock=clock) as store:
        marks = await plant(store, clock)
    return set(marks.given), found_marks(documents(url), marks)


async def test_no_mark_is_found_with_keys(firestore_url: str) -> None:
    key = base64.b64encode(os.urandom(32)).decode()
    given, found = await planted(firestore_url, SetClock(), Keyring.of(key))
    assert len(given) >= 30
    assert found == set()


async def test_the_search_finds_them_without_keys(firestore_url: str) -> None:
    given, found = await planted(firestore_url, SetClock(), Keyring())
    # Of a deployment's name the hash alone is there.
    assert all("deployment-name" in mark for mark in given - found)
