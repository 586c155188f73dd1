"""Clients that go away: where an instance is throttled after its response, the turn is handed over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

from shared.errors import AppError
from shared.resources import resources
from shared.turn import Turn

T = TypeVar("T")
Leave = Callable[[], Awaitable[None]]

_log = logging.getLogger(__name__)


def leave_of(turn: Turn) -> Leave | None:
    """What to do when the turn's client goes away; None where this process goes on with the turn."""
    if not resources().settings.hands_turns_over:
        return None

    async def leave() -> None:
        try:
            engine = await resources().engine()
            if await engine.hand_over(user_id=turn.key.user_id, turn_id=turn.turn_id):
                # This instance may stand still from now on: nobody else is told sooner.
                await resources().publish_now()
        except AppError as error:
            # Its lease runs out; the turn can be resumed.
            _log.warning("turn not handed over", extra={"turn_id": turn.turn_id, "code": error.code})

    return leave


async def unless_gone(work: Coroutine[Any, Any, T], receive: Receive, leave: Leave | None) -> T:
    """The work's result; when the client goes away before it, `leave` is called beside the work."""
    if leave is None:
        return await work
    watching = asyncio.create_task(_gone(receive))
    working = asyncio.create_task(work)
    try:
        await asyncio.wait({watching, working}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            await leave()
        return await working
    finally:
        watching.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
