"""Which types of event are acted upon, by what.

An event may come more than once, and late. So each handler has its effect once by `source` and `id` of the
event, or by what the event is about: in the very write of that effect, as nothing else can tell.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from functions.events.handlers.turn_resume import TurnResume, resume_turn
from shared.events.envelope import CloudEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class EventHandler:
    """The form of a type's data, and what is done about it: a coroutine that answers with a word for the log.

    It raises a retryable error only when the event is to come again.
    """

    data: type[BaseModel]
    handle: Callable[[CloudEvent, Any], Awaitable[str]]


HANDLERS: dict[str, EventHandler] = {
    "turn.resume": EventHandler(data=TurnResume, handle=resume_turn),
}
