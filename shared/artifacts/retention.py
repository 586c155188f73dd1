"""Retention: old versions, deleted sessions and unrecorded objects go, in steps, by one process at a time.

Where a run stops, for its time was over or its process died, the next one goes on: what was removed is
removed, and the place is kept in the store.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from shared.artifacts.deleting import delete_objects
from shared.artifacts.port import ObjectStore
from shared.clock import Clock
from shared.errors import InvalidRequestError
from shared.keys import SessionKey
from shared.leased_work import LeasedWork, StoppedError
from shared.sessions.port import Store
from shared.sessions.retention_port import KeptFile, RetentionPolicy

LEASE = WORK = "retention"
# The bytes of a save come before its record; a save takes seconds.
ORPHANED_AFTER = timedelta(days=1)
_PAGE = 100
_LOOKED_UP_AT_ONCE = 200
_FOLDER = "artifacts"

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class RetentionReport:
    """What a run did, or, when dry, would do. `kept` are the versions that it looked at and left.

    `deleted_versions` counts those of deleted sessions too; `deleted_orphans` are objects without a record.
    `complete`: it came to the end, else the next run goes on.
    """

    deleted_versions: int = 0
    deleted_sessions: int = 0
    deleted_orphans: int = 0
    kept: int = 0
    complete: bool = False


@dataclass(slots=True)
class _Run:
    """One run: its lease and time, what it has counted."""

    policy: RetentionPolicy
    work: LeasedWork
    report: RetentionReport = field(default_factory=RetentionReport)


class Retention:
    """Runs retention over a store and the object store of its artifacts."""

    def __init__(
        self,
        *,
        store: Store,
        objects: ObjectStore,
        clock: Clock,
        holder: str,
        keep: timedelta,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._objects = objects
        self._clock = clock
        self._holder = holder
        self._keep = keep
        self._monotonic = monotonic

    async def run(self, *, seconds: float, dry: bool = False) -> RetentionReport:
        """Goes on from where the last run stopped, for about so long; a dry run counts from the beginning.

        Raises:
            ConflictError: another process is at it.
            StoreUnavailableError: the database or the object store; what was removed before stays removed.
        """
        policy = RetentionPolicy(now=self._clock(), keep=self._keep)
        work = LeasedWork(
            leases=self._store,
            name=LEASE,
            holder=self._holder,
            clock=self._clock,
            seconds=seconds,
            dry=dry,
            monotonic=self._monotonic,
        )
        run = _Run(policy, work)
        await work.begin("retention")
        try:
            await self._go_on(run)
            run.report.complete = True
        except StoppedError:
            _log.info("retention goes on at the next run")
        finally:
            await work.end()
        return run.report

    async def _go_on(self, run: _Run) -> None:
        phases = {"sessions": self._sessions, "files": self._files, "orphans": self._orphans}
        place = None if run.work.is_dry else await self._store.load_place(name=WORK)
        first, _, after = (place or "sessions:").partition(":")
        names = list(phases)
        for name in names[names.index(first) if first in names else 0 :]:
            try:
                await phases[name](run, after or None)
            except InvalidRequestError:
                # A place that another release wrote: the phase begins again.
                await phases[name](run, None)
            after = ""
        await self._save_place(run, None)

    async def _sessions(self, run: _Run, after: str | None) -> None:
        """Empties deleted sessions; a dry run counts their files with the others."""
        while True:
            page = await self._store.list_deleted_sessions(after=after, limit=_PAGE)
            for key in page.sessions:
                if run.work.is_dry or await self._empty(run, key):
                    run.report.deleted_sessions += 1
            after = page.after
            if after is None:
                return
            await self._save_place(run, f"sessions:{after}")
            await run.work.step()

    async def _empty(self, run: _Run, key: SessionKey) -> bool:
        """Whether the session is empty now; a hold may come upon it meanwhile."""
        while True:
            await run.work.step()
            emptied = await self._store.empty_session(key=key, now=run.policy.now, limit=_LOOKED_UP_AT_ONCE)
            run.report.deleted_versions += len(emptied.object_keys)
            await delete_objects(self._objects, emptied.object_keys)
            if emptied.state != "more":
                return emptied.state == "empty"

    async def _files(self, run: _Run, after: str | None) -> None:
        while True:
            await run.work.step()
            page = await self._store.list_files(after=after, limit=_PAGE)
            for file in page.files:
                await self._file(run, file)
            after = page.after
            if after is None:
                return
            await self._save_place(run, f"files:{after}")

    async def _file(self, run: _Run, file: KeptFile) -> None:
        if file.session_deleted and not file.is_held:
            run.report.deleted_versions += len(file.versions) if run.work.is_dry else 0
            return
        wanted, gone = len(run.policy.removable(file)), 0
        while wanted > gone and not run.work.is_dry:
            await run.work.step()
            removed = await self._store.remove_versions(key=file.key, policy=run.policy)
            if not removed:
                break
            gone += len(removed)
            await delete_objects(self._objects, removed)
        gone = wanted if run.work.is_dry else gone
        run.report.deleted_versions += gone
        run.report.kept += max(len(file.versions) - gone, 0)

    async def _orphans(self, run: _Run, after: str | None) -> None:
        """Goes through all objects; `after` is how many of them an earlier run had left in their places."""
        passed = left = int(after) if after is not None and after.isdecimal() else 0
        batch: list[str] = []
        async for found in self._objects.list_objects(folder=_FOLDER):
            if passed:
                passed -= 1
                continue
            if found.modified_at > run.policy.now - ORPHANED_AFTER:
                left += 1
                continue
            batch.append(found.object_key)
            if len(batch) == _LOOKED_UP_AT_ONCE:
                left += await self._look_up(run, batch)
                batch = []
                await self._save_place(run, f"orphans:{left}")
                await run.work.step()
        await self._look_up(run, batch)

    async def _look_up(self, run: _Run, object_keys: list[str]) -> int:
        """Deletes those that no record names; how many are left."""
        recorded = await self._store.recorded_objects(object_keys=tuple(object_keys))
        orphans = [object_key for object_key in object_keys if object_key not in recorded]
        run.report.deleted_orphans += len(orphans)
        if not run.work.is_dry:
            await delete_objects(self._objects, orphans)
        return len(object_keys) if run.work.is_dry else len(recorded)

    async def _save_place(self, run: _Run, place: str | None) -> None:
        if not run.work.is_dry:
            await self._store.save_place(name=WORK, place=place)
