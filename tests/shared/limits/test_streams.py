"""Open streams of a user, counted across instances by leases in real stores."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.errors import RateLimitedError
from shared.ids import new_id
from shared.limits.streams import LEASE_SECONDS, OpenStreams, StreamPlace
from shared.sessions.port import Store
from tests.contracts.session_values import SetClock


async def forever(_: float) -> None:
    await asyncio.Event().wait()


def streams_on(store: Store, clock: SetClock, most: int | None = 3) -> OpenStreams:
    return OpenStreams(leases=store, most=most, clock=clock, new_id=new_id, sleep=forever)


@pytest.fixture
async def here(store: Store, clock: SetClock) -> AsyncIterator[OpenStreams]:
    streams = streams_on(store, clock)
    yield streams
    await streams.close()


@pytest.fixture
async def there(other_store: Store, clock: SetClock) -> AsyncIterator[OpenStreams]:
    streams = streams_on(other_store, clock)
    yield streams
    await streams.close()


async def numbers(count: int = 2) -> AsyncIterator[int]:
    for number in range(count):
        yield number


async def opened(streams: OpenStreams, user_id: str = "alice") -> StreamPlace | None:
    try:
        return await streams.open(user_id)
    except RateLimitedError:
        return None


async def test_a_hundred_at_once_on_two_instances_get_three_places(
    here: OpenStreams, there: OpenStreams
) -> None:
    found = await asyncio.gather(*(opened(here if n % 2 else there) for n in range(100)))
    places = [place for place in found if place is not None]
    assert len(places) == 3
    assert len({place.number for place in places}) == 3
    assert await opened(here, "bob") is not None


async def test_a_place_is_free_when_its_stream_ends(here: OpenStreams, there: OpenStreams) -> None:
    places = [await here.open("alice") for _ in range(3)]
    with pytest.raises(RateLimitedError, match="3 streams open") as caught:
        await there.open("alice")
    assert caught.value.retry_after
    assert [item async for item in places[0].over(numbers())] == [0, 1]
    assert await opened(there) is not None
    assert await opened(here) is None
    await places[1].release()
    await places[1].release()
    assert await opened(here) is not None
    assert await opened(there) is None


async def test_a_place_is_free_when_its_stream_is_closed_or_breaks(here: OpenStreams) -> None:
    ended = False

    async def broken() -> AsyncIterator[int]:
        nonlocal ended
        try:
            yield 1
            raise RuntimeError("broken")
        finally:
            ended = True

    for _ in range(4):
        stream = (await here.open("alice")).over(numbers())
        assert await anext(stream) == 0
        await stream.aclose()  # type: ignore[attr-defined]  # it is a generator
    for _ in range(4):
        ended = False
        with pytest.raises(RuntimeError):
            [item async for item in (await here.open("alice")).over(broken())]
        assert ended


async def test_a_stream_that_is_read_keeps_its_place_and_a_dead_one_loses_it(
    here: OpenStreams, there: OpenStreams, clock: SetClock
) -> None:
    read = (await here.open("alice")).over(numbers())
    assert await anext(read) == 0
    await here.open("alice")
    await here.open("alice")
    for _ in range(4):
        clock.pass_time(LEASE_SECONDS / 3)
        await here.renew()
    # Two were never read: their places are free, also on this instance.
    assert await opened(there) is not None
    assert await opened(here) is not None
    assert await opened(there) is None
    assert await anext(read) == 1


async def test_a_stream_that_lost_its_place_ends(
    here: OpenStreams, there: OpenStreams, clock: SetClock
) -> None:
    read = (await here.open("alice")).over(numbers())
    assert await anext(read) == 0
    # This process stands still for longer than its lease.
    clock.pass_time(LEASE_SECONDS + 1)
    for _ in range(3):
        assert await opened(there) is not None
    await here.renew()
    with pytest.raises(RateLimitedError):
        await anext(read)
    assert await opened(there) is None


async def test_places_are_renewed_by_themselves(store: Store, clock: SetClock, other_store: Store) -> None:
    naps: asyncio.Queue[asyncio.Event] = asyncio.Queue()

    async def nap(seconds: float) -> None:
        assert seconds < LEASE_SECONDS / 2
        over = asyncio.Event()
        naps.put_nowait(over)
        await over.wait()

    streams = OpenStreams(leases=store, most=1, clock=clock, new_id=new_id, sleep=nap)
    read = (await streams.open("alice")).over(numbers())
    await anext(read)
    async with asyncio.timeout(10):
        for _ in range(4):
            clock.pass_time(LEASE_SECONDS / 3)
            (await naps.get()).set()
        await naps.get()
    assert await opened(streams_on(other_store, clock, 1)) is None
    assert [item async for item in read] == [1]
    await streams.close()


async def test_without_a_limit_nothing_is_written(clock: SetClock) -> None:
    class Untouchable:
        pass

    # Whatever is asked of the store fails.
    streams = OpenStreams(leases=Untouchable(), most=None, clock=clock, new_id=new_id)  # type: ignore[arg-type]
    places = [await streams.open("alice") for _ in range(100)]
    for place in places:
        assert [item async for item in place.over(numbers(1))] == [0]
        await place.release()
