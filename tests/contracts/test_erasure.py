"""Erasure over every store and every object store: what is left, holds, stops, kills, and a new beginning."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import cast

import pytest

from shared.account.erasure import STOPPED_WITHIN, Erasure, ErasureReport
from shared.agent.updates import ContentUpdate, Position
from shared.artifacts.library import ArtifactLibrary
from shared.artifacts.port import ObjectStore
from shared.artifacts.select import open_objects
from shared.clock import utc_now
from shared.errors import ConflictError, StoreUnavailableError, UnprocessableError
from shared.ids import new_id
from shared.keys import ArtifactKey, SessionKey
from shared.redis.cache import RedisCache
from shared.redis.client import RedisClient
from shared.redis.forgetting import store_that_forgets
from shared.redis.turn_bus import RedisBus
from shared.sealing import Keyring
from shared.sessions.cache import CachedStore
from shared.sessions.port import Store
from shared.settings import read_settings
from tests.contracts.conftest import open_store
from tests.contracts.planted import plant
from tests.contracts.session_values import COMPLETED, DONE, SetClock, held, new_turn
from tests.contracts.stored_text import text_at_rest
from tests.servers.agent_process import run_command
from tests.servers.object_fixtures import ObjectPlace
from tests.servers.valkey import ValkeyServer

USER = "alice-the-user"
KEY = SessionKey(user_id=USER, session_id="s-files")


@dataclass
class House:
    """A store and an object store with one library over them."""

    store: Store
    objects: ObjectStore
    clock: SetClock
    library: ArtifactLibrary
    slept: list[float]

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def erasure(self, **changes: object) -> Erasure:
        parts = {"store": self.store, "objects": self.objects, "clock": self.clock, "holder": new_id()}
        return Erasure(**{**parts, "sleep": self.sleep, **changes})  # type: ignore[arg-type]

    async def run(self, **changes: object) -> ErasureReport:
        return await self.erasure().run(user_id=USER, **{"seconds": 60, **changes})  # type: ignore[arg-type]

    async def fill(self, key: SessionKey = KEY, files: int = 3) -> None:
        await self.store.create_session(key=key, title="t", context={"a": key.user_id}, now=self.clock.now)
        for number in range(files):
            for text in ("first", "second"):
                name = ArtifactKey(session=key, filename=f"f{number}.py")
                await self.library.save(key=name, data=f"# {key.user_id} {text} {number}\n".encode())

    async def stored(self) -> set[str]:
        return {found.object_key async for found in self.objects.list_objects()}


async def made_house(store: Store, place: ObjectPlace, clock: SetClock) -> House:
    objects = open_objects(read_settings(place.variables))
    library = ArtifactLibrary(objects=objects, index=store, clock=clock, new_id=new_id)
    return House(store, objects, clock, library, [])


@pytest.fixture
async def house(store: Store, local_place: ObjectPlace, clock: SetClock) -> AsyncIterator[House]:
    """Each store, files in a folder."""
    made = await made_house(store, local_place, clock)
    yield made
    await made.objects.close()


async def test_all_of_a_user_goes_and_nothing_else(house: House, store_url: str) -> None:
    await plant(house.store, house.clock, key=SessionKey(user_id=USER, session_id="s-planted"))
    await house.fill()
    bobs = SessionKey(user_id="bob", session_id=KEY.session_id)
    await house.fill(bobs)
    dry = await house.run(dry=True)
    assert (dry.complete, dry.records["sessions"], dry.objects) == (True, 3, 7)
    assert len(await house.stored()) == 12
    report = await house.run()
    assert (report.complete, report.held_sessions) == (True, [])
    assert (report.records["sessions"], report.objects) == (3, 7)
    # A turn waited for its approval: whoever had it is given time to hear of its end.
    assert house.slept == [STOPPED_WITHIN]
    stored = await text_at_rest(store_url)
    assert USER.encode() not in stored
    # Events that reached no session are nobody's, and go by their own time.
    assert {place for place in re.findall(rb"Geheimnis-([a-z]+)", stored) if place != b"letter"} == set()
    assert len(await house.stored()) == 6
    files = await house.library.list(session=bobs)
    assert [(await house.library.read_bytes(artifact=each))[:5] for each in files] == [b"# bob"] * 3
    again = await house.run()
    assert (again.complete, again.records, again.objects) == (True, {}, 0)


@pytest.mark.parametrize("kind", ["s3", "gcs"])
async def test_buckets_are_emptied(
    kind: str, request: pytest.FixtureRequest, sqlite_url: str, clock: SetClock
) -> None:
    place: ObjectPlace = request.getfixturevalue(f"{kind}_place")
    store = await open_store(sqlite_url, clock)
    house = await made_house(store, place, clock)
    await house.fill()
    await house.fill(SessionKey(user_id="bob", session_id=KEY.session_id), files=1)
    report = await house.run()
    assert (report.complete, report.objects) == (True, 6)
    assert len(await house.stored()) == 2
    await house.objects.close()
    await store.close()


async def test_a_held_session_stays_and_is_told(house: House) -> None:
    await house.fill()
    await house.fill(SessionKey(user_id=USER, session_id="s-held"), files=1)
    held_key = SessionKey(user_id=USER, session_id="s-held")
    await house.store.hold_session(key=held_key, held=True, now=house.clock.now)
    for dry in (True, False):
        report = await house.run(dry=dry)
        assert (report.held_sessions, report.complete) == (["s-held"], True)
    assert len(await house.stored()) == 2
    page = await house.store.list_sessions(user_id=USER, limit=9, cursor=None)
    assert page.items == ()
    await house.store.hold_session(key=held_key, held=False, now=house.clock.now)
    report = await house.run()
    assert (report.held_sessions, report.objects) == ([], 2)
    assert await house.stored() == set()


async def test_a_call_that_has_no_time_left_goes_on_at_the_next(house: House) -> None:
    await house.fill()
    reports = []
    for allowed in range(1, 40):
        ticks = iter([0.0] * (allowed + 1) + [99.0] * 100)
        erasure = house.erasure(monotonic=lambda ticks=ticks: next(ticks))
        reports.append(await erasure.run(user_id=USER, seconds=50))
        if reports[-1].complete:
            break
    assert len(reports) > 1
    assert sum(report.records["versions"] for report in reports) == 6
    assert await house.stored() == set()
    assert await house.store.count_records(user_id=USER) == {}


async def test_an_empty_id_names_nobody(house: House) -> None:
    with pytest.raises(UnprocessableError):
        await house.erasure().run(user_id="", seconds=50)


async def test_one_process_at_a_time(house: House) -> None:
    await house.fill()
    reached, go_on = asyncio.Event(), asyncio.Event()

    class Slow:
        async def delete(self, *, object_key: str) -> None:
            reached.set()
            await go_on.wait()
            await house.objects.delete(object_key=object_key)

    slow = asyncio.create_task(house.erasure(objects=Slow()).run(user_id=USER, seconds=50))
    await asyncio.wait_for(reached.wait(), 30)
    with pytest.raises(ConflictError):
        await house.run()
    # Another user's has a lease of its own.
    assert (await house.erasure().run(user_id="bob", seconds=50)).complete
    go_on.set()
    assert (await slow).complete


async def test_bytes_that_cannot_be_deleted_keep_their_records(house: House) -> None:
    await house.fill()

    class Away:
        async def delete(self, *, object_key: str) -> None:
            raise StoreUnavailableError("the disk is away")

    with pytest.raises(StoreUnavailableError):
        await house.erasure(objects=Away()).run(user_id=USER, seconds=50)
    assert (await house.store.count_records(user_id=USER))["versions"] == 6
    assert (await house.run()).objects == 6
    assert await house.stored() == set()


async def test_killed_at_any_moment_it_ends_the_same(house: House, store_url: str) -> None:
    for number in range(6):
        await house.fill(SessionKey(user_id=USER, session_id=f"s-{number}"))
    variables = {
        "DATABASE_URL": store_url,
        "DATA_DIR": str(house.objects._root.parent),  # type: ignore[attr-defined]
        "ARTIFACT_BUCKET": "objects",
    }
    # Each later than the lease of the one that died before.
    for days, steps in enumerate((5, 30)):
        erase = partial(run_command, "tests.servers.erasing_process", USER, str(steps), str(days))
        done = await asyncio.to_thread(erase, environment={**os.environ, **variables})
        assert done.returncode == -signal.SIGKILL, done.stderr
    house.clock.now = utc_now() + timedelta(days=days + 1)
    assert 0 < (await house.store.count_records(user_id=USER))["sessions"] < 6
    assert (await house.run()).complete
    assert await house.stored() == set()
    assert USER.encode() not in await text_at_rest(store_url)


@pytest.fixture
async def redis(valkey: ValkeyServer) -> AsyncIterator[RedisClient]:
    client = await RedisClient.open(valkey.url, keyring=Keyring())
    yield client
    await client.close()


async def converse(store: Store, clock: SetClock) -> str:
    """A turn that ends; gives its id."""
    begun = await store.begin_turn(new=new_turn(KEY, clock.now))
    await store.finish_turn(lease=held(begun), number=1, steps=(DONE, COMPLETED), now=clock.now)
    return begun.turn.turn_id


async def test_nothing_is_left_in_redis(house: House, redis: RedisClient) -> None:
    async def names() -> set[bytes | str]:
        found: list[bytes | str] = await redis.call(lambda client: client.keys("*"))
        return set(found)

    before = await names()
    store = CachedStore(store_that_forgets(house.store, redis), RedisCache(redis))
    turn_id = await converse(cast(Store, store), house.clock)
    bus = RedisBus(redis)
    said = ContentUpdate(at=Position(1, 2), content="hi")
    bus.announce(turn_id=turn_id, user_id=USER, updates=[said])
    async with asyncio.timeout(30):
        while len(await names() - before) < 2:
            await asyncio.sleep(0.01)
    await bus.close()
    report = await house.erasure(store=store).run(user_id=USER, seconds=50)
    assert (report.complete, report.records["turns"]) == (True, 1)
    assert await names() - before == set()


async def test_an_instance_that_did_not_hear_of_it_gives_no_old_history(house: House) -> None:
    elsewhere = CachedStore(house.store)
    for _ in range(2):
        await converse(cast(Store, elsewhere), house.clock)
    await asyncio.gather(*elsewhere._sharing)
    assert (await house.run()).complete
    house.clock.pass_time(1)
    new = [await converse(house.store, house.clock) for _ in range(2)]
    # The same id, the same number of turns and of revisions.
    begun = await elsewhere.begin_turn(new=new_turn(KEY, house.clock.now))
    assert begun.history is not None
    assert [turn.turn_id for turn in begun.history] == new
