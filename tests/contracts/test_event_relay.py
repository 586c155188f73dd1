"""The relay over every store: several processes at work, each event once, each session in order."""

from __future__ import annotations

from shared.sessions.port import Store
from tests.shared.events.sample import Listener, relay_of, store_events, until


async def test_two_processes_publish_each_event_once_and_in_order(store: Store, other_store: Store) -> None:
    listener = Listener()
    relays = [relay_of(store, listener, idle_seconds=1), relay_of(other_store, listener, idle_seconds=1)]
    for number, session in enumerate("abc"):
        writer, relay = ((store, other_store)[number % 2], relays[number % 2])
        for first in range(0, 12, 3):
            await store_events(writer, session, first, first + 1, first + 2)
            relay.soon()
    await until(lambda: len(listener.heard) >= 36, seconds=30)
    for relay in relays:
        assert (await relay.drain(seconds=10)).waiting == 0
        await relay.close()
    assert len(listener.heard) == 36
    for session in "abc":
        mine = [name for name in listener.heard if name.startswith(f"{session}-")]
        assert mine == [f"{session}-{n}" for n in range(12)]
