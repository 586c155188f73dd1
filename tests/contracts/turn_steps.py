"""Short ways to write turns in the store's contract tests."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from shared.keys import SessionKey
from shared.sessions.port import Store
from shared.sessions.turn_port import BegunTurn, Lease, TakenTurn
from shared.turn import ApprovalStep, DecisionStep, ResumedStep, Step, Turn
from tests.contracts.session_values import (
    COMPLETED,
    DONE,
    LEASE_SECONDS,
    MODEL,
    SetClock,
    held,
    new_turn,
)

EXPIRED = LEASE_SECONDS + 1
WAIT = 30.0
RESUMED = ResumedStep()


async def begin(store: Store, key: SessionKey, clock: SetClock, **changes: Any) -> BegunTurn:
    """A turn of the session, begun as the changes say."""
    return await store.begin_turn(new=new_turn(key, clock.now, **changes))


async def append(store: Store, lease: Lease, number: int, step: Step, clock: SetClock, **more: Any) -> None:
    """One more step."""
    await store.append_step(
        lease=lease, number=number, step=step, now=clock.now, lease_seconds=LEASE_SECONDS, **more
    )


async def finish(store: Store, begun: BegunTurn, clock: SetClock, number: int = 1) -> None:
    """The turn's completed end."""
    await store.finish_turn(lease=held(begun), number=number, steps=(DONE, COMPLETED), now=clock.now)


async def load(store: Store, begun: BegunTurn | Turn) -> Turn:
    """The turn as the store has it."""
    turn = begun.turn if isinstance(begun, BegunTurn) else begun
    return await store.load_turn(user_id=turn.key.user_id, turn_id=turn.turn_id)


async def claim(store: Store, clock: SetClock, *turns: BegunTurn, wait: float = WAIT) -> BegunTurn | None:
    """Asks for the start of waiting turns of one session."""
    return await store.claim_waiting(
        key=turns[0].turn.key,
        turn_ids=tuple(begun.turn.turn_id for begun in turns),
        now=clock.now,
        lease_seconds=LEASE_SECONDS,
        wait_seconds=wait,
        history_messages=100,
    )


def taken(begun: BegunTurn, clock: SetClock, step: DecisionStep | ResumedStep = RESUMED) -> TakenTurn:
    """What take_turn takes, each time another taking."""
    return TakenTurn(
        user_id=begun.turn.key.user_id,
        turn_id=begun.turn.turn_id,
        step=step,
        now=clock.now,
        lease_seconds=LEASE_SECONDS,
        history_messages=100,
    )


def question(expires_at: datetime, call_id: str = "call-1") -> ApprovalStep:
    """What a turn pauses behind."""
    return ApprovalStep(
        call_id=call_id,
        name="deploy_bot",
        arguments={"name": "b"},
        artifacts_sha256="0" * 64,
        expires_at=expires_at,
        token="t",
    )


async def pause(store: Store, begun: BegunTurn, clock: SetClock, seconds: float = 3600) -> ApprovalStep:
    """Asks for the user's yes after a model's reply: steps 1 and 2."""
    asked = question(clock.now + timedelta(seconds=seconds))
    await append(store, held(begun), 1, MODEL, clock)
    await append(store, held(begun), 2, asked, clock, pause_until=asked.expires_at)
    return asked
