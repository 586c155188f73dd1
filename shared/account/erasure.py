"""Erasure: all that is kept of a user goes, in steps, bytes before the records that name them.

Where a call stops, for its time was over or its process died, the next one goes on with what is left; no
place needs to be kept. What is not erased here and why is told in docs/account.md.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from shared.artifacts.deleting import delete_objects
from shared.artifacts.port import ObjectStore
from shared.clock import Clock
from shared.errors import SessionNotFoundError, StoreUnavailableError, UnprocessableError
from shared.keys import SessionKey
from shared.leased_work import LeasedWork, StoppedError
from shared.sessions.erasure_port import KnownSession
from shared.sessions.port import Store

# An owner of a turn that was stopped hears of it within a second (shared/agent/watch.py).
STOPPED_WITHIN = 2.0
_PAGE = 200
_RECORDS = 200

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class ErasureReport:
    """What a call erased by kind of record, or, when dry, would; `objects` are stored files.

    `held_sessions` keep what they have: a legal hold is on them. `complete`: nothing else is left, else the
    next call goes on.
    """

    records: Counter[str] = field(default_factory=Counter)
    objects: int = 0
    held_sessions: list[str] = field(default_factory=list)
    complete: bool = False


class Erasure:
    """Erases users from a store and from the object store of their files."""

    def __init__(
        self,
        *,
        store: Store,
        objects: ObjectStore,
        clock: Clock,
        holder: str,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._objects = objects
        self._clock = clock
        self._holder = holder
        self._monotonic = monotonic
        self._sleep = sleep

    async def run(self, *, user_id: str, seconds: float, dry: bool = False) -> ErasureReport:
        """Stops the user's turns, then erases for about so long; a dry run counts and changes nothing.

        Sessions that the user begins meanwhile stay.

        Raises:
            UnprocessableError: the id is empty.
            ConflictError: another process is at it.
            StoreUnavailableError: the database or the object store; what was erased before stays erased.
        """
        if not user_id:
            # Records that are nobody's may be kept under it.
            raise UnprocessableError("an empty user id names nobody")
        work = LeasedWork(
            leases=self._store,
            name=_lease_of(user_id),
            holder=self._holder,
            clock=self._clock,
            seconds=seconds,
            dry=dry,
            monotonic=self._monotonic,
        )
        report = ErasureReport()
        await work.begin("the erasure of this user")
        try:
            if dry:
                await self._count(user_id, report)
            else:
                await self._erase(user_id, work, report)
            report.complete = True
        except StoppedError:
            _log.info("erasure goes on at the next call")
        finally:
            await work.end()
        return report

    async def _count(self, user_id: str, report: ErasureReport) -> None:
        async for session in self._sessions(user_id):
            if session.is_held:
                report.held_sessions.append(session.key.session_id)
        report.records = Counter(await self._store.count_records(user_id=user_id))
        report.objects = report.records["versions"]

    async def _erase(self, user_id: str, work: LeasedWork, report: ErasureReport) -> None:
        if await self._delete_sessions(user_id, work, report):
            await self._sleep(STOPPED_WITHIN)
        async for session in self._sessions(user_id):
            if session.is_deleted and not session.is_held:
                await self._erase_session(session.key, work, report)
        while True:
            await work.step()
            part = await self._store.erase_account(user_id=user_id, limit=_RECORDS)
            report.records.update(part.records)
            if part.state != "more":
                break
        await self._clean_up()

    async def _delete_sessions(self, user_id: str, work: LeasedWork, report: ErasureReport) -> bool:
        """Takes all sessions out of reach; whether a turn was stopped by that."""
        was_running = False
        async for session in self._sessions(user_id):
            await work.step()
            if session.is_held:
                report.held_sessions.append(session.key.session_id)
            if not session.is_deleted:
                was_running = was_running or session.is_running
                await self._delete_session(session.key)
        return was_running

    async def _delete_session(self, key: SessionKey) -> None:
        try:
            await self._store.delete_session(key=key, now=self._clock())
        except SessionNotFoundError:
            # The user was quicker.
            return

    async def _erase_session(self, key: SessionKey, work: LeasedWork, report: ErasureReport) -> None:
        gone: tuple[str, ...] = ()
        while True:
            await work.step()
            part = await self._store.erase_session(key=key, gone=gone, limit=_RECORDS)
            report.records.update(part.records)
            await delete_objects(self._objects, part.object_keys)
            report.objects += len(part.object_keys)
            gone = part.object_keys
            if part.state != "more":
                if part.state == "spared":
                    report.held_sessions.append(key.session_id)
                return

    async def _clean_up(self) -> None:
        try:
            await self._store.clean_up()
        except StoreUnavailableError:
            # The records are gone; their room in the file is written over in time.
            _log.warning("what was erased may still be read in free pages of the database's file")

    async def _sessions(self, user_id: str) -> AsyncIterator[KnownSession]:
        after: str | None = None
        while True:
            page = await self._store.list_user_sessions(user_id=user_id, after=after, limit=_PAGE)
            for session in page.sessions:
                yield session
            after = page.after
            if after is None:
                return


def _lease_of(user_id: str) -> str:
    """The name tells nobody whose erasure it is."""
    return f"erasure:{hashlib.sha256(user_id.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
