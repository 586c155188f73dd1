"""Retention over a real store and a real folder: counts, dry runs, stops, crashes, and two at once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from shared.artifacts.library import ArtifactLibrary
from shared.artifacts.local import LocalObjectStore
from shared.artifacts.paths import local_path
from shared.artifacts.retention import LEASE, Retention, RetentionReport
from shared.errors import ArtifactNotFoundError, ConflictError, StoreUnavailableError
from shared.ids import new_id
from shared.keys import ArtifactKey, SessionKey
from shared.sessions.migrate import migrate
from shared.sessions.sql.store import SqlStore
from tests.contracts.session_values import SetClock

DAY = 86_400.0
KEY = SessionKey(user_id="alice", session_id="s")


class Failing(LocalObjectStore):
    """A folder whose deletions fail while `fails` is set."""

    fails = False

    async def delete(self, *, object_key: str) -> None:
        if self.fails:
            raise StoreUnavailableError("the disk is away")
        await super().delete(object_key=object_key)


@dataclass
class House:
    store: SqlStore
    objects: Failing
    folder: Path
    clock: SetClock
    library: ArtifactLibrary
    ticks: Iterator[float] | None = field(default=None)

    async def run(self, *, seconds: float = 50, dry: bool = False) -> RetentionReport:
        return await self.retention().run(seconds=seconds, dry=dry)

    def retention(self) -> Retention:
        ticks = self.ticks
        more = {} if ticks is None else {"monotonic": lambda: next(ticks)}
        return Retention(
            store=self.store,
            objects=self.objects,
            clock=self.clock,
            holder=new_id(),
            keep=timedelta(days=30),
            **more,
        )

    async def save(self, name: str, data: bytes, session: SessionKey = KEY) -> str:
        key = ArtifactKey(session=session, filename=name)
        return (await self.library.save(key=key, data=data)).artifact.object_key

    async def stored(self) -> set[str]:
        return {found.object_key async for found in self.objects.list_objects()}

    def age(self) -> None:
        """Makes every object two days older than the clock."""
        then = self.clock.now.timestamp() - 2 * DAY
        for path in self.folder.rglob("*"):
            if path.is_file():
                os.utime(path, (then, then))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    url, clock, folder = f"sqlite+aiosqlite:///{tmp_path}/agent.db", SetClock(), tmp_path / "objects"
    await migrate(url)
    async with await SqlStore.open(url, clock=clock) as store:
        objects = Failing(folder)
        library = ArtifactLibrary(objects=objects, index=store, clock=clock, new_id=new_id)
        await store.create_session(key=KEY, title="", context={}, now=clock.now)
        yield House(store, objects, folder, clock, library)


async def test_old_versions_go_with_their_bytes_and_the_rest_stays(house: House) -> None:
    old = [await house.save("bot.py", b"%d" % number) for number in range(3)]
    newest = await house.save("bot.py", b"newest")
    alone = await house.save("notes.md", b"alone")
    assert await house.run() == RetentionReport(kept=5, complete=True)
    house.clock.pass_time(31 * DAY)
    assert await house.run(dry=True) == RetentionReport(deleted_versions=3, kept=2, complete=True)
    assert await house.stored() == {*old, newest, alone}
    assert await house.run() == RetentionReport(deleted_versions=3, kept=2, complete=True)
    assert await house.stored() == {newest, alone}
    key = ArtifactKey(session=KEY, filename="bot.py")
    assert (await house.library.read(key=key)).data == b"newest"
    with pytest.raises(ArtifactNotFoundError):
        await house.library.read(key=key, version=1)
    assert await house.run() == RetentionReport(kept=2, complete=True)


async def test_a_deleted_session_goes_at_the_next_run_and_a_held_one_stays(house: House) -> None:
    other = SessionKey(user_id="bob", session_id="s")
    held = SessionKey(user_id="alice", session_id="held")
    for session in (other, held):
        await house.store.create_session(key=session, title="", context={}, now=house.clock.now)
    for number in range(3):
        await house.save(f"f{number}.py", b"mine")
    theirs, kept = await house.save("f0.py", b"theirs", other), await house.save("f.py", b"held", held)
    await house.store.hold_session(key=held, held=True, now=house.clock.now)
    for session in (KEY, held):
        await house.store.delete_session(key=session, now=house.clock.now)
    expected = RetentionReport(deleted_versions=3, deleted_sessions=1, kept=2, complete=True)
    assert await house.run(dry=True) == expected
    assert await house.run() == expected
    assert await house.stored() == {theirs, kept}


async def test_objects_without_a_record_go_after_a_day(house: House) -> None:
    kept = await house.save("bot.py", b"kept")
    for number in range(450):
        await house.objects.put(object_key=f"artifacts/gone/f{number}/1", data=b"left by a crash")
    then = house.clock.now.timestamp() - DAY + 60
    for path in house.folder.rglob("*"):
        if path.is_file():
            os.utime(path, (then, then))
    assert (await house.run()).deleted_orphans == 0
    house.age()
    assert (await house.run(dry=True)).deleted_orphans == 450
    assert len(await house.stored()) == 451
    report = await house.run()
    assert (report.deleted_orphans, report.complete) == (450, True)
    assert await house.stored() == {kept}


async def test_a_run_whose_time_is_over_goes_on_at_the_next_call(house: House) -> None:
    for number in range(120):
        session = SessionKey(user_id="alice", session_id=f"s-{number}")
        await house.store.create_session(key=session, title="", context={}, now=house.clock.now)
        for data in (b"1", b"2"):
            await house.save("bot.py", data, session)
    house.clock.pass_time(31 * DAY)
    deleted, calls = 0, 0
    while calls < 100:
        calls += 1
        # A second passes at each look at the time.
        house.ticks = iter(float(n) for n in range(10_000))
        report = await house.run(seconds=60)
        deleted += report.deleted_versions
        if report.complete:
            break
    assert (deleted, report.complete) == (120, True)
    assert calls > 2
    assert len(await house.stored()) == 120


async def test_a_store_that_fails_leaves_orphans_and_never_a_record_without_bytes(house: House) -> None:
    for number in range(5):
        await house.save("bot.py", b"%d" % number)
    house.clock.pass_time(31 * DAY)
    house.objects.fails = True
    with pytest.raises(StoreUnavailableError):
        await house.run()
    versions = await house.library.versions(key=ArtifactKey(session=KEY, filename="bot.py"))
    stored = await house.stored()
    assert len(stored) == 5
    assert {version.object_key for version in versions} <= stored
    house.objects.fails = False
    house.age()
    report = await house.run()
    assert report.deleted_orphans == 4
    assert await house.stored() == {versions[0].object_key}


async def test_one_process_at_a_time(house: House) -> None:
    await house.store.take_named_lease(name=LEASE, holder="another", now=house.clock.now, seconds=90)
    with pytest.raises(ConflictError) as busy:
        await house.run()
    assert busy.value.retry_after
    assert (await house.run(dry=True)).complete
    # The other died: its lease runs out.
    house.clock.pass_time(91)
    assert (await house.run()).complete
    assert (await house.run()).complete, "the lease was given back"


async def test_traffic_beside_retention_loses_nothing(house: House) -> None:
    for number in range(20):
        await house.save("bot.py", b"old %d" % number)
    house.clock.pass_time(31 * DAY)
    key = ArtifactKey(session=KEY, filename="bot.py")

    async def write() -> None:
        for number in range(20):
            await house.save("bot.py", b"new %d" % number)

    async def read() -> None:
        for _ in range(40):
            assert (await house.library.read(key=key)).data

    await asyncio.gather(house.run(), write(), read())
    for version in await house.library.versions(key=key):
        found = await house.library.read(key=key, version=version.version)
        assert found.artifact == version
    assert (await house.library.read(key=key)).data == b"new 19"


async def test_bytes_that_waited_long_for_their_record_are_stored_anew(house: House) -> None:
    """A process that was frozen between the two writes: retention may have taken the bytes for an orphan."""
    first = await house.save("bot.py", b"1")
    add = house.store.add_version
    waited: list[str] = []

    class Frozen(SqlStore):
        async def add_version(self, **given):  # type: ignore[no-untyped-def]
            if not waited:
                waited.append(given["artifact"].object_key)
                house.clock.pass_time(2 * DAY)
                await house.objects.delete(object_key=waited[0])
                # Another was quicker: the number is taken.
                return False
            return await add(**given)

    index = Frozen(house.store._runner, codec=house.store._codec, clock=house.clock)
    library = ArtifactLibrary(objects=house.objects, index=index, clock=house.clock, new_id=new_id)
    key = ArtifactKey(session=KEY, filename="bot.py")
    saved = await library.save(key=key, data=b"2")
    assert saved.artifact.object_key in await house.stored()
    assert (await library.read(key=key)).data == b"2"
    assert local_path(house.folder, first).exists()
