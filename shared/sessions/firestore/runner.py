"""Runs transaction functions: read, decide, commit on condition that what was read is still so, or again.

There are no locks at the server. A commit is refused when a document has changed since it was read, and the
function is run again. Calls of this process about one session stand in a queue, so that they do not refuse
each other.
A commit whose answer was lost is looked up by the mark it leaves in the documents, and never done twice.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import SystemRandom
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

from shared.errors import AppError
from shared.sessions.codec import Codec
from shared.sessions.firestore.client import Documents, Found, Ref
from shared.sessions.firestore.failures import (
    app_error,
    client_errors,
    is_contention,
    is_doubtful,
    is_refused,
    unavailable,
)
from shared.sessions.firestore.transaction import ReadAgainError, Transaction, Work

T = TypeVar("T")

TRANSACTION_SECONDS = 20.0
# With the wait in the queue before it.
WHOLE_SECONDS = 25.0
_MOST_FAILURES = 5
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0

_KEPT_COLLECTIONS = ("sessions", "turns")
_KEPT_DOCUMENTS = 1024
_KEPT_BYTES = 100_000

_random = SystemRandom()


@dataclass(frozen=True, slots=True)
class _Doubt(Generic[T]):
    """A commit whose answer was lost: its mark, what it writes and removes, and the result if it was done."""

    mark: str
    written: list[Ref]
    removed: list[Ref]
    result: T

    def is_done(self, found: dict[Ref, Found]) -> bool:
        """Whether the documents say that the commit was done."""
        if self.written:
            return any((found[ref].data or {}).get("by") == self.mark for ref in self.written)
        return all(found[ref].data is None for ref in self.removed)


@dataclass(slots=True)
class _Call(Generic[T]):
    """One call of a transaction function, over its attempts."""

    id: str = field(default_factory=lambda: secrets.token_hex(8))
    attempts: int = 0
    failures: int = 0
    doubts: list[_Doubt[T]] = field(default_factory=list)

    @property
    def mark(self) -> str:
        return f"{self.id}.{self.attempts}"


class Runner:
    """Runs transaction functions on one database."""

    def __init__(self, documents: Documents, codec: Codec) -> None:
        self.documents = documents
        self._codec = codec
        self._kept: OrderedDict[Ref, Found] = OrderedDict()
        self._queues: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False

    async def write(self, work: Work[T], *, queue: str) -> T:
        """The function's result, committed; it may run more than once. Calls of one queue run one by one.

        Raises:
            StoreUnavailableError: the database does not answer, or others were quicker for too long.
        """
        async with self._admitted():
            lock = self._queues.setdefault(queue, asyncio.Lock())
            async with lock, _deadline(TRANSACTION_SECONDS):
                return await self._attempts(work)

    async def read(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """The function's result; it changes nothing."""
        async with self._admitted():
            async with _deadline(TRANSACTION_SECONDS):
                call: _Call[T] = _Call()
                while True:
                    try:
                        return await work(Transaction(self.documents, self._codec, is_first=False))
                    except ReadAgainError:
                        await self._wait(call)
                    except client_errors() as error:
                        await self._pause(call, error)

    async def close(self) -> None:
        """Lets what runs end, and lets go of the connection."""
        self._closed = True
        await self._idle.wait()
        await self.documents.close()

    async def _attempts(self, work: Work[T]) -> T:
        call: _Call[T] = _Call()
        while True:
            try:
                done = await self._settled(call)
                if done is not None:
                    return done[0]
                done = await self._attempt(work, call)
                if done is not None:
                    return done[0]
            except ReadAgainError:
                await self._wait(call)
            except AppError:
                # The lost commit may have come through between the look for its mark and the read.
                done = await self._settled(call)
                if done is not None:
                    return done[0]
                raise
            except client_errors() as error:
                await self._pause(call, error)

    async def _attempt(self, work: Work[T], call: _Call[T]) -> tuple[T] | None:
        """The result of one attempt; None when it must be run again."""
        call.attempts += 1
        is_first = call.attempts == 1
        tx = Transaction(
            self.documents, self._codec, kept=self._kept if is_first else None, is_first=is_first
        )
        try:
            result = await work(tx)
        except (AppError, ReadAgainError):
            if not tx.used_kept:
                raise
            return None
        pairs = tx.writes(call.mark)
        if not pairs:
            return None if tx.used_kept else (result,)
        for document, _ in pairs:
            self._kept.pop(document.ref, None)
        try:
            times = await self.documents.write([write for _, write in pairs])
        except client_errors() as error:
            if is_doubtful(error):
                written = [write.ref for _, write in pairs if write.kind != "delete"]
                removed = [write.ref for _, write in pairs if write.kind == "delete"]
                call.doubts.append(_Doubt(call.mark, written, removed, result))
            raise
        for (document, write), updated in zip(pairs, times, strict=True):
            if write.kind != "delete":
                self._keep(document.as_written(updated))
        return (result,)

    async def _settled(self, call: _Call[T]) -> tuple[T] | None:
        """The result of a commit whose answer was lost, when it was done."""
        for doubt in call.doubts:
            if doubt.is_done(await self.documents.read((*doubt.written, *doubt.removed))):
                return (doubt.result,)
        return None

    def _keep(self, found: Found) -> None:
        data = found.data or {}
        if found.ref.collection not in _KEPT_COLLECTIONS or data.get("completed_at") is not None:
            return
        if data.get("size", 0) > _KEPT_BYTES:
            return
        self._kept[found.ref] = found
        while len(self._kept) > _KEPT_DOCUMENTS:
            self._kept.popitem(last=False)

    async def _pause(self, call: _Call[Any], error: Exception) -> None:
        """Waits before the next attempt; raises our own error when there is to be none."""
        if not is_contention(error):
            call.failures += 1
            if call.failures >= _MOST_FAILURES or not (is_doubtful(error) or is_refused(error)):
                await self.documents.renew()
                raise app_error(error) from error
        await self._wait(call)

    async def _wait(self, call: _Call[Any]) -> None:
        longest = min(_FIRST_PAUSE * 2 ** min(call.attempts + call.failures, 10), _LONGEST_PAUSE)
        await asyncio.sleep(_random.uniform(0, longest))

    @asynccontextmanager
    async def _admitted(self) -> AsyncIterator[None]:
        if self._closed:
            raise unavailable()
        self._running += 1
        self._idle.clear()
        try:
            async with _deadline(WHOLE_SECONDS):
                yield
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()


@asynccontextmanager
async def _deadline(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise unavailable() from error
