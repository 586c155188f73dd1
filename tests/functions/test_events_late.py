"""Letters of bots that became known only after their events came, in a process that did not see them come."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from functions.events.addressing import Addressing
from functions.events.crashes import CrashDesk
from functions.events.intake import Intake, Taken
from functions.events.late_bots import LateBots
from functions.events.letters import received_value
from shared.clock import utc_now
from shared.errors import StoreUnavailableError
from shared.keys import SessionKey
from shared.sessions.inbound_port import DeadLetter
from shared.sessions.sql.store import SqlStore
from tests.functions.bot_posts import cloud_event, deploy

KEY = SessionKey(user_id="alice", session_id="s")


class Process:
    """The parts of one process of the events function."""

    def __init__(self, store: SqlStore, delays: Sequence[float] = ()) -> None:
        addressing = Addressing(store, is_local=False, default_user="nobody")
        self.intake = Intake(
            store=store,
            addressing=addressing,
            crashes=CrashDesk(sessions=store, outbox=store),
            clock=utc_now,
            observe=lambda *_: None,
        )
        self.late = LateBots(store=store, intake=self.intake, bots=addressing.bots, delays=delays)

    async def post(self, event_id: str, bot_id: str = "b") -> str:
        event = cloud_event("bot.execution.completed", {"bot_id": bot_id, "n": event_id}, event_id=event_id)
        taken = await self.intake.take_in([received_value(event)])
        self.late.notice(taken)
        return taken[0].status


async def until_none_waits(store: SqlStore) -> None:
    async with asyncio.timeout(30):
        while await store.count_dead_letters():
            await asyncio.sleep(0.01)


async def test_the_first_event_of_a_bot_brings_its_letters_along(sqlite_url: str) -> None:
    async with await SqlStore.open(sqlite_url) as store:
        await store.create_session(key=KEY, title="", context={}, now=utc_now())
        early = Process(store)
        assert await early.post("1") == "unknown_bot"
        await deploy(sqlite_url, KEY, "b")
        # Another process: it has nothing to look for by itself.
        other = Process(store)
        assert await other.post("2") == "applied"
        await until_none_waits(store)
        history = await store.bot_history(user_id="alice", bot_id="b", limit=9, cursor=None)
        assert {each.event_id for each in history.items} == {"1", "2"}
        await other.late.close()


async def test_a_bot_that_is_looked_for_late_keeps_no_other_waiting(sqlite_url: str) -> None:
    async with await SqlStore.open(sqlite_url) as store:
        await store.create_session(key=KEY, title="", context={}, now=utc_now())
        process = Process(store, delays=(0.0, 3600.0))
        assert await process.post("1", bot_id="never") == "unknown_bot"
        early = Process(store)
        assert await early.post("2") == "unknown_bot"
        await deploy(sqlite_url, KEY, "b")
        assert await process.post("3") == "applied"
        async with asyncio.timeout(30):
            while await store.dead_letters_of_bot(bot_id="b", limit=1):
                await asyncio.sleep(0.01)
        await process.late.close()


async def test_a_bot_is_looked_for_again_also_when_the_store_was_down(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await SqlStore.open(sqlite_url) as store:
        await store.create_session(key=KEY, title="", context={}, now=utc_now())
        process = Process(store, delays=(0.0, *[0.05] * 200))
        replay, failures = process.intake.replay, 0

        async def failing(letters: Sequence[DeadLetter]) -> list[Taken]:
            nonlocal failures
            failures += 1
            if failures == 1:
                raise StoreUnavailableError("the database does not answer")
            return await replay(letters)

        monkeypatch.setattr(process.intake, "replay", failing)
        assert await process.post("1") == "unknown_bot"
        await deploy(sqlite_url, KEY, "b")
        await until_none_waits(store)
        assert failures == 2
        await process.late.close()
