"""`turn.resume`: goes on with a turn that its instance had to leave, and waits for its end.

The request stays open as long as the turn runs, so that this instance is not throttled meanwhile. The turn's
record makes a repeat harmless: who comes second finds it running and waits with the first, or finds it ended.
"""

from __future__ import annotations

from pydantic import BaseModel, Field

from shared.errors import ConflictError, NotFoundError, TurnInProgressError, UnavailableError
from shared.events.envelope import CloudEvent
from shared.resources import resources
from shared.turn import Turn


class TurnResume(BaseModel):
    """The turn to go on with."""

    user_id: str = Field(min_length=1, max_length=1024)
    session_id: str = Field(min_length=1, max_length=128)
    turn_id: str = Field(min_length=1, max_length=128)


async def resume_turn(event: CloudEvent, data: TurnResume) -> str:
    """What became of the turn: its status, or `gone` when there is nothing to go on with.

    Raises:
        UnavailableError: the store is down, or this instance stops; a redelivery goes on.
    """
    try:
        turn = await _ended(data)
    except (NotFoundError, ConflictError):
        # It was removed, waits for its user's yes, or the session has gone on without it.
        return "gone"
    if resources().settings.hands_turns_over:
        # This instance may stand still once it has answered.
        await resources().publish_now()
    if turn.status == "interrupted":
        raise UnavailableError("the turn was interrupted before its end", retry_after=1)
    return turn.status


async def _ended(data: TurnResume) -> Turn:
    engine = await resources().engine()
    turn = await engine.load(user_id=data.user_id, turn_id=data.turn_id)
    # A turn that failed can be tried again too, but that is for its user to ask.
    if turn.status == "interrupted":
        try:
            turn = await engine.resume(user_id=data.user_id, turn_id=data.turn_id)
        except TurnInProgressError:
            turn = await engine.load(user_id=data.user_id, turn_id=data.turn_id)
            if turn.status != "running":
                # Another turn of the session runs: this one is over.
                raise
    if turn.status not in ("waiting", "running"):
        return turn
    return await engine.wait(user_id=data.user_id, turn_id=data.turn_id)
