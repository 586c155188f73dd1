"""The bus between two instances, over a real Valkey."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.agent.bus import NoBus, TurnBus
from shared.agent.updates import START, ContentUpdate, Position, SessionUpdate, Update
from shared.redis import announcer
from shared.redis.turn_bus import RedisBus
from shared.sealing import Keyring
from tests.servers.valkey import ValkeyServer
from tests.shared.redis.turns import KEYS, TURN, USER, WHOLE, heard, open_bus, said, text


async def listening(bus: RedisBus, after: Position = START) -> asyncio.Task[list[Update]]:
    """A listener on its way."""
    task = asyncio.create_task(heard(bus, after))
    await asyncio.sleep(0)
    return task


def announce(bus: TurnBus, updates: tuple[Update, ...]) -> None:
    bus.announce(turn_id=TURN, user_id=USER, updates=updates)


async def arrive(server: ValkeyServer, entries: int) -> None:
    """Returns when the turn's stream holds that many entries."""
    async with asyncio.timeout(5):
        while not any(b":%d\r\n" % entries == server.command("XLEN", key) for key in stream_keys(server)):
            await asyncio.sleep(0.005)


async def _first(heard: AsyncIterator[tuple[Update, ...]]) -> AsyncIterator[tuple[Update, ...]]:
    async for updates in heard:
        yield updates
        return


def stream_keys(server: ValkeyServer) -> list[bytes]:
    return [
        word for word in server.command("KEYS", "the0:turn:*").split(b"\r\n") if word.startswith(b"the0:")
    ]


@pytest.mark.parametrize("keys", [KEYS, Keyring()], ids=["sealed", "plain"])
async def test_every_update_arrives_as_it_was(valkey: ValkeyServer, keys: Keyring) -> None:
    async with open_bus(valkey, keys) as here, open_bus(valkey, keys) as there:
        live = await listening(there)
        for update in WHOLE:
            announce(here, (update,))
        assert tuple(await live) == WHOLE
        assert tuple(await heard(there)) == WHOLE


async def test_a_late_listener_gets_the_rest_of_a_piece_of_text(valkey: ValkeyServer) -> None:
    async with open_bus(valkey) as here, open_bus(valkey) as there:
        announce(here, WHOLE)
        late = await heard(there, Position(1, 2))
    assert late == [ContentUpdate(Position(1, 5), "see"), *WHOLE[2:]]


async def test_many_listeners_of_one_turn_join_at_any_time(valkey: ValkeyServer) -> None:
    updates = tuple(text(200))
    async with open_bus(valkey) as here, open_bus(valkey) as there:
        tasks = []
        for number, update in enumerate(updates):
            announce(here, (update,))
            if number % 20 == 0:
                tasks.append(await listening(there, Position(1, number)))
                await asyncio.sleep(0.002)
        for number, task in enumerate(tasks):
            assert said(await task) == said(list(updates))[20 * number :]


async def test_users_and_turns_do_not_mix(valkey: ValkeyServer) -> None:
    async with open_bus(valkey) as here, open_bus(valkey) as there:
        for user, turn in (("a", "t"), ("b", "t"), ("a", "u")):
            here.announce(turn_id=turn, user_id=user, updates=tuple(text(3, f"{user}{turn}")))
        for user, turn in (("a", "t"), ("b", "t"), ("a", "u")):
            found = await heard(there, user_id=user, turn_id=turn)
            assert found[0] == SessionUpdate(Position(0, 0), f"{user}{turn}")


async def test_a_listener_stops_where_entries_were_trimmed(valkey: ValkeyServer) -> None:
    updates = tuple(text(3))
    async with open_bus(valkey) as here, open_bus(valkey) as there:
        for count, update in enumerate(updates[:4], start=1):
            announce(here, (update,))
            await arrive(valkey, count)
        valkey.command("XTRIM", stream_keys(valkey)[0], "MAXLEN", "2")
        # What is left begins after the second update.
        assert await heard(there, START) == []
        assert await heard(there, Position(1, 3)) == []
        announce(here, updates[4:])
        assert said(await heard(there, Position(1, 4))) == "00020003"


async def test_a_listener_goes_on_over_a_flush_and_a_new_one_stops(valkey: ValkeyServer) -> None:
    updates = tuple(text(3))
    async with open_bus(valkey) as here, open_bus(valkey) as there:
        live = await listening(there)
        announce(here, updates[:2])
        await arrive(valkey, 1)
        valkey.flush()
        announce(here, updates[2:])
        assert tuple(await live) == updates
        assert await heard(there) == []


async def test_what_was_dropped_is_a_gap(valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcer, "_MAX_WAITING", 3)
    updates = tuple(text(9))
    async with open_bus(valkey) as here, open_bus(valkey) as there:
        live = await listening(there)
        announce(here, updates[:2])
        await arrive(valkey, 1)
        announce(here, updates[2:6])
        announce(here, updates[6:8])
        assert tuple(await live) == updates[:2]
        assert tuple(await heard(there, updates[1].at)) == ()


async def test_a_run_that_takes_a_turn_up_again_is_followed(valkey: ValkeyServer) -> None:
    async with open_bus(valkey) as first, open_bus(valkey) as second, open_bus(valkey) as there:
        live = await listening(there)
        announce(first, WHOLE[:3])
        await arrive(valkey, 1)
        # The second instance begins with the record.
        announce(second, (WHOLE[0], *WHOLE[3:]))
        assert tuple(await live) == WHOLE


async def test_a_run_that_begins_in_the_middle_fits_only_who_came_so_far(valkey: ValkeyServer) -> None:
    async with open_bus(valkey) as here, open_bus(valkey) as there:
        announce(here, WHOLE[5:])
        assert await heard(there, WHOLE[3].at) == []
        assert tuple(await heard(there, WHOLE[5].at)) == WHOLE[6:]


async def test_silence_is_told(valkey: ValkeyServer) -> None:
    async with open_bus(valkey) as there:
        heard = there.listen(turn_id=TURN, user_id=USER, after=START, silence=0.02)
        async with asyncio.timeout(5):
            assert [await anext(heard), await anext(heard)] == [(), ()]
        await heard.aclose()  # type: ignore[attr-defined]


async def test_redis_holds_no_plain_text_and_forgets(valkey: ValkeyServer) -> None:
    async with open_bus(valkey) as here:
        announce(here, WHOLE[:4])
        await arrive(valkey, 1)
        keys = stream_keys(valkey)
        held = valkey.command("XRANGE", keys[0], "-", "+")
        lives = int(valkey.command("TTL", keys[0])[1:])
    for word in (b"alice", b"turn-1", b"I see", b"save_artifact"):
        assert word not in held + keys[0]
    assert 0 < lives <= 900


@pytest.mark.parametrize("forged", [b"{}", b'{"schema_version":1,"value":{}}', b"\x01" + b"0" * 60])
async def test_a_forged_entry_ends_the_listener(valkey: ValkeyServer, forged: bytes) -> None:
    async with open_bus(valkey) as here, open_bus(valkey) as there:
        announce(here, WHOLE[:2])
        await arrive(valkey, 1)
        valkey.command("XADD", stream_keys(valkey)[0], "*", "f", forged)
        live = await listening(there)
        assert tuple(await live) == WHOLE[:2]


async def test_killed_redis_ends_listeners_and_hurts_nobody(valkey: ValkeyServer) -> None:
    async with open_bus(valkey) as here, open_bus(valkey) as there:
        live = await listening(there)
        announce(here, WHOLE[:2])
        await arrive(valkey, 1)
        valkey.kill()
        assert tuple(await live) == WHOLE[:2]
        announce(here, WHOLE[2:3])
        assert await heard(there) == []
        valkey.start()
        async with asyncio.timeout(10):
            while True:
                announce(here, WHOLE)
                found = [got async for got in _first(there.listen(turn_id=TURN, user_id=USER, silence=0.1))]
                if found == [WHOLE]:
                    break


async def test_hung_redis_ends_listeners_in_two_seconds(valkey: ValkeyServer) -> None:
    async with open_bus(valkey) as here, open_bus(valkey) as there:
        live = await listening(there)
        announce(here, WHOLE[:2])
        await arrive(valkey, 1)
        valkey.hang()
        async with asyncio.timeout(2.5):
            assert tuple(await live) == WHOLE[:2]


async def test_a_stop_is_heard_everywhere_also_after_a_restart(valkey: ValkeyServer) -> None:
    async with open_bus(valkey) as here, open_bus(valkey) as there:
        heard_of: asyncio.Queue[str] = asyncio.Queue()
        there.on_stop(heard_of.put_nowait)
        async with asyncio.timeout(10):
            await there.hears_stops()
            here.announce_stop(turn_id="t-1")
            assert await heard_of.get() == "t-1"
            valkey.kill()
            valkey.start()
            await asyncio.sleep(0)
            while heard_of.empty():
                here.announce_stop(turn_id="t-2")
                await asyncio.sleep(0.05)
            assert await heard_of.get() == "t-2"


async def test_without_a_bus_nothing_is_heard() -> None:
    bus: TurnBus = NoBus()
    announce(bus, WHOLE)
    bus.announce_stop(turn_id=TURN)
    bus.on_stop(print)
    assert [updates async for updates in bus.listen(turn_id=TURN, user_id=USER)] == []
    await bus.close()
