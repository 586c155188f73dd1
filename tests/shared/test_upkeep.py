"""Upkeep removes what is over, in steps, one process at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from shared.clock import utc_now
from shared.keys import SessionKey
from shared.sessions.sql.store import SqlStore
from shared.sessions.turn_port import NewTurn
from shared.turn import FinalStep, TurnRequest
from shared.upkeep import LEASE, STEP, Upkeep


async def no_wait(seconds: float) -> None:
    """Time does not pass in this test but by its clock."""


def new_turn(key: SessionKey, turn_id: str, now: datetime) -> NewTurn:
    """A turn that may begin."""
    return NewTurn(
        key=key,
        turn_id=turn_id,
        request=TurnRequest(message="Hello"),
        prompt_version="1",
        now=now,
        lease_seconds=30,
        default_title="Hello",
        history_messages=2,
    )


async def test_what_is_over_goes_in_steps_and_by_one_process(database_url: str) -> None:
    now = utc_now()
    later = now + timedelta(hours=25)
    async with await SqlStore.open(database_url) as store:
        key = SessionKey(user_id="u", session_id="s")
        for number in range(STEP + 3):
            begun = await store.begin_turn(
                new=replace(new_turn(key, f"t{number}", now), idempotency_key=f"k{number}")
            )
            assert begun.lease is not None
            end = FinalStep(status="completed", finish_reason="stop")
            await store.finish_turn(lease=begun.lease, number=1, steps=(end,), now=now)
        here = Upkeep(store=store, clock=lambda: later, holder="here", sleep=no_wait)
        there = Upkeep(store=store, clock=lambda: later, holder="there", sleep=no_wait)
        assert await store.take_named_lease(name=LEASE, holder="there", now=later, seconds=60)
        assert await here.run() == 0
        await store.drop_named_lease(name=LEASE, holder="there")
        assert await here.run(seconds=0) == STEP
        assert await here.run() >= 3
        assert await there.run() == 0
        assert not await store.knows_key(user_id="u", idempotency_key="k0", now=now)
        assert (await store.load_turn(user_id="u", turn_id="t0")).status == "completed"


async def test_the_events_of_dead_turns_are_let_go_and_published(database_url: str) -> None:
    now = utc_now()
    later = now + timedelta(seconds=31)
    told: list[int] = []
    async with await SqlStore.open(database_url) as store:
        for number in range(STEP + 1):
            await store.begin_turn(
                new=new_turn(SessionKey(user_id="u", session_id=f"s{number}"), f"t{number}", now)
            )
        upkeep = Upkeep(
            store=store, clock=lambda: later, holder="here", let_go=lambda: told.append(1), sleep=no_wait
        )
        await upkeep.run()
        assert len(told) == 2
        assert await store.interrupt_dead(now=later, limit=1) == 0
