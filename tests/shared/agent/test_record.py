"""The one writer of a running turn: order, cancellation, the lease."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.agent.record import LEASE_SECONDS, TurnRecord
from shared.clock import utc_now
from shared.errors import SessionConflictError
from shared.ids import new_id
from shared.keys import SessionKey
from shared.messages import TextPart, ToolResult, Usage
from shared.sessions.sql.store import SqlStore
from shared.sessions.turn_port import NewTurn
from shared.turn import FinalStep, ModelStep, ToolStep, TurnRequest

KEY = SessionKey(user_id="u", session_id="s")
END = FinalStep(status="completed", finish_reason="stop")


@pytest.fixture
async def store(sqlite_url: str) -> AsyncIterator[SqlStore]:
    async with await SqlStore.open(sqlite_url) as store:
        yield store


async def begin(store: SqlStore, lease_seconds: float = LEASE_SECONDS) -> TurnRecord:
    begun = await store.begin_turn(
        new=NewTurn(
            key=KEY,
            turn_id=new_id(),
            request=TurnRequest(message="Hello"),
            prompt_version="1",
            now=utc_now(),
            lease_seconds=lease_seconds,
            default_title="Hello",
            history_messages=100,
        )
    )
    assert begun.lease is not None
    return TurnRecord(store=store, turn=begun.turn, lease=begun.lease, clock=utc_now, new_id=new_id)


def reply(text: str) -> ModelStep:
    return ModelStep(parts=(TextPart(text=text),), finish_reason="stop", usage=Usage(), model="m")


def result(number: int) -> ToolStep:
    return ToolStep(result=ToolResult(id=f"c{number}", name="t", status="ok"))


async def test_results_that_end_together_get_numbers_one_after_another(store: SqlStore) -> None:
    record = await begin(store)
    numbers = await asyncio.gather(*(record.append(result(n)) for n in range(10)))
    assert sorted(numbers) == list(range(1, 11))
    stored = await store.load_turn(user_id="u", turn_id=record.turn.turn_id)
    assert stored.steps == record.turn.steps


async def test_a_renewal_beside_the_end_harms_neither(store: SqlStore) -> None:
    for _ in range(20):
        record = await begin(store)
        await asyncio.gather(record.renew_lease(), record.finish(END, reply("Hi")), record.renew_lease())
        await record.renew_lease()
        assert record.turn.status == "completed"


async def test_a_cancelled_write_is_whole_and_known(store: SqlStore) -> None:
    record = await begin(store)
    for number in range(20):
        task = asyncio.create_task(record.append(result(number)))
        for _ in range(number % 4):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        stored = await store.load_turn(user_id="u", turn_id=record.turn.turn_id)
        assert stored.steps == record.turn.steps
    await record.finish(END)


async def test_an_owner_whose_lease_was_taken_over_writes_nothing(store: SqlStore) -> None:
    late = await begin(store, lease_seconds=-1)
    fresh = await begin(store)
    for write in (late.append(result(1)), late.finish(END)):
        with pytest.raises(SessionConflictError):
            await write
    with pytest.raises(SessionConflictError):
        await late.renew_lease()
    await fresh.finish(END, reply("Hi"))
    stored = await store.load_turn(user_id="u", turn_id=late.turn.turn_id)
    assert (stored.status, len(stored.steps)) == ("interrupted", 1)
