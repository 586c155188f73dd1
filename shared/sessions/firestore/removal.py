"""Documents of a session that is to be emptied or erased, removed some at a time, while that may be done."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from shared.keys import SessionKey
from shared.sessions.firestore.client import Query, Ref
from shared.sessions.firestore.names import session_id
from shared.sessions.firestore.retention import AT_ONCE
from shared.sessions.firestore.runner import Runner
from shared.sessions.firestore.sessions import session_ref
from shared.sessions.firestore.transaction import Document, Transaction


class Removed(NamedTuple):
    """A document that went; `turn_id` where it named one."""

    ref: Ref
    turn_id: str | None


class _Found(NamedTuple):
    document: Removed
    is_split: bool


class Removal:
    """Removes a session's documents; each commit asks `may_go` of the session as it is then."""

    def __init__(self, runner: Runner, key: SessionKey, may_go: Callable[[Document], bool]) -> None:
        self._runner = runner
        self._key = key
        self._may_go = may_go
        self._queue = session_id(key)

    async def some(self, query: Query) -> list[Removed]:
        """Those of the query that went, the parts of their bodies before them; none when that may not be."""
        found = await self._runner.read(partial(_find, query=query))
        for each in found:
            work = partial(self._remove_parts, owner=each.document.ref.id)
            while each.is_split and await self._runner.write(work, queue=self._queue) == AT_ONCE:
                continue
        if not found:
            return []
        refs = [each.document.ref for each in found]
        went = await self._runner.write(partial(self._remove_all, refs=refs), queue=self._queue)
        return [each.document for each in found] if went else []

    async def _remove_parts(self, tx: Transaction, *, owner: str) -> int:
        if not self._may_go(await tx.one(session_ref(self._key))):
            return 0
        parts = await tx.find(
            Query(
                collection="parts", equal=(("owner", owner),), order="id", range=((">", ""),), limit=AT_ONCE
            )
        )
        for part in parts:
            part.delete()
        return len(parts)

    async def _remove_all(self, tx: Transaction, *, refs: list[Ref]) -> bool:
        if not self._may_go(await tx.one(session_ref(self._key))):
            return False
        for document in await tx.get(*refs):
            document.delete()
        return True


async def _find(tx: Transaction, *, query: Query) -> list[_Found]:
    return [
        _Found(Removed(each.ref, each.get("turn_id")), bool(each.get("is_split")))
        for each in await tx.find(query)
    ]
