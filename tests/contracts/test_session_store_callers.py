"""What a store holds when its callers leave: whole transactions, over every backend."""

from __future__ import annotations

import asyncio

from shared.keys import SessionKey
from shared.sessions.port import Store
from tests.contracts.session_values import SetClock, new_turn, run_turn, session_key


async def test_callers_that_leave_at_any_moment_leave_whole_transactions(
    store: Store, clock: SetClock
) -> None:
    keys = [session_key(session_id=f"s-{n:02}") for n in range(40)]

    async def leave(key: SessionKey, steps: int) -> None:
        task = asyncio.create_task(store.begin_turn(new=new_turn(key, clock.now)))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    await asyncio.gather(*(leave(key, n) for n, key in enumerate(keys)))
    # Comes after those that were still on their way.
    await store.create_session(key=session_key(session_id="last"), title="", context={}, now=clock.now)
    async with asyncio.timeout(20):
        while (await _settled(store)) != (await _settled(store)):
            continue
    sessions = (await store.list_sessions(user_id="alice", limit=99, cursor=None)).items
    for session in sessions[:-1]:
        if session.key.session_id == "last":
            continue
        (turn,) = (await store.list_turns(key=session.key, limit=9, cursor=None)).items
        assert (turn.status, len(turn.steps)) == ("interrupted" if turn.completed_at else "running", 1)
    # Every connection and thread still works: more calls at once than there are of them.
    fresh = [session_key("bob", f"s-{n}") for n in range(40)]
    await asyncio.gather(*(run_turn(store, key, clock.now) for key in fresh))


async def _settled(store: Store) -> int:
    return len((await store.list_sessions(user_id="alice", limit=99, cursor=None)).items)
