"""Upkeep removes what is over, in steps, one process at a time."""

from __future__ import annotations

from datetime import timedelta

from shared.clock import utc_now
from shared.keys import SessionKey
from shared.sessions.port import NewTurn
from shared.sessions.sql.store import SqlStore
from shared.turn import FinalStep, TurnRequest
from shared.upkeep import LEASE, STEP, Upkeep


async def no_wait(seconds: float) -> None:
    """Time does not pass in this test but by its clock."""


async def test_what_is_over_goes_in_steps_and_by_one_process(database_url: str) -> None:
    now = utc_now()
    later = now + timedelta(hours=25)
    async with await SqlStore.open(database_url) as store:
        key = SessionKey(user_id="u", session_id="s")
        for number in range(STEP + 3):
            begun = await store.begin_turn(
                new=NewTurn(
                    key=key,
                    turn_id=f"t{number}",
                    request=TurnRequest(message="Hello"),
                    prompt_version="1",
                    now=now,
                    lease_seconds=30,
                    default_title="Hello",
                    history_messages=2,
                    idempotency_key=f"k{number}",
                )
            )
            assert begun.lease is not None
            end = FinalStep(status="completed", finish_reason="stop")
            await store.finish_turn(lease=begun.lease, number=1, steps=(end,), now=now)
        here = Upkeep(store=store, clock=lambda: later, holder="here", sleep=no_wait)
        there = Upkeep(store=store, clock=lambda: later, holder="there", sleep=no_wait)
        assert await store.take_named_lease(name=LEASE, holder="there", now=later, seconds=60)
        assert await here.run() == 0
        await store.drop_named_lease(name=LEASE, holder="there")
        assert await here.run() >= STEP + 3
        assert await there.run() == 0
        assert not await store.knows_key(user_id="u", idempotency_key="k0", now=now)
        assert (await store.load_turn(user_id="u", turn_id="t0")).status == "completed"
