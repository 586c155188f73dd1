"""What `Store.tidy` removes: documents whose `expires_at` is past, found by its index.

Firestore's own TTL may do the same for all but `turns`, up to a day late.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from shared.sessions.firestore.client import Query
from shared.sessions.firestore.runner import Runner
from shared.sessions.firestore.transaction import Document, Transaction

# Of `turns` the marks that a rollback leaves.
COLLECTIONS = (
    "keys",
    "permits",
    "reservations",
    "leases",
    "tool_calls",
    "outbox",
    "bot_events",
    "dead_letters",
    "usage_days",
    "turns",
)

_AT_ONCE = 200


async def tidy(runner: Runner, *, now: datetime, limit: int) -> int:
    """See `Store.tidy`."""
    removed = 0
    for collection in COLLECTIONS:
        while removed < limit:
            most = min(limit - removed, _AT_ONCE)
            gone = await _remove(runner, collection, now, most)
            removed += gone
            if gone < most:
                break
    return removed


async def _remove(runner: Runner, collection: str, now: datetime, most: int) -> int:
    query = Query(collection=collection, order="expires_at", range=(("<=", now),), limit=most)
    for owner in await runner.read(partial(_split, query=query)):
        # First what nobody would find without its owner.
        while await runner.write(partial(_remove_parts, owner=owner), queue=owner) == _AT_ONCE:
            continue
    return await runner.write(partial(_remove_found, query=query), queue=f"tidy {collection}")


async def _split(tx: Transaction, *, query: Query) -> list[str]:
    return [document.ref.id for document in await tx.find(query) if document.get("is_split")]


async def _remove_parts(tx: Transaction, *, owner: str) -> int:
    parts = await tx.find(
        Query(collection="parts", equal=(("owner", owner),), order="id", range=((">", ""),), limit=_AT_ONCE)
    )
    return _delete(parts)


async def _remove_found(tx: Transaction, *, query: Query) -> int:
    return _delete(await tx.find(query))


def _delete(documents: list[Document]) -> int:
    for document in documents:
        document.delete()
    return len(documents)
