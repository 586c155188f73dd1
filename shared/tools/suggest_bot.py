"""The tool `suggest_bot`."""

from __future__ import annotations

import json
import uuid
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from shared.errors import ToolFailedError
from shared.keys import SessionKey
from shared.sessions.outbox_port import OutgoingEvent
from shared.tools.port import ToolContext, tool

_TYPE: Literal["ai.bot.suggestion"] = "ai.bot.suggestion"
# Names the event of a call by uuid5 (RFC 9562, section 5.5): a repeat of the call is the same event.
_NAMESPACE = uuid.UUID("b6a5d3de-6f1c-4a52-9a57-6c1f4cc8f0a1")


class Suggested(TypedDict):
    """The event that was stored for publishing."""

    event_id: str
    type: Literal["ai.bot.suggestion"]
    suggestion: str


@tool(timeout=15.0, read_only=False)
async def suggest_bot(
    context: ToolContext,
    suggestion: Annotated[
        str,
        Field(
            description="the idea in a few sentences",
            min_length=1,
            max_length=2000,
            pattern=r"\S",
        ),
    ],
    strategy_type: Annotated[str | None, Field(description="such as grid", max_length=64)] = None,
    symbol: Annotated[str | None, Field(description="such as BTC/USDT", max_length=32)] = None,
    reason: Annotated[str | None, Field(description="why now, for this user", max_length=1000)] = None,
) -> Suggested:
    """Suggests a bot to the user on the platform.

    It stores an ai.bot.suggestion event for publishing. Use it for an idea the user has not asked to be
    built; it builds nothing and saves no file.
    """
    session = context.require_session()
    outbox = context.services.outbox
    if outbox is None:
        raise ToolFailedError("suggestions cannot be stored here: tell the user in your answer instead")
    data: dict[str, Any] = {
        "session_id": session.session_id,
        "suggestion": suggestion,
        "user_id": session.user_id,
    }
    extra = {"strategy_type": strategy_type, "symbol": symbol, "reason": reason}
    data |= {name: value for name, value in extra.items() if value is not None}
    event = OutgoingEvent(event_id=_event_id(session, context.call_id), type=_TYPE, data=data)
    await outbox.add_events(
        key=session, events=(event,), now=context.services.clock(), turn_id=context.turn_id
    )
    return Suggested(event_id=event.event_id, type=_TYPE, suggestion=suggestion)


def _event_id(session: SessionKey, call_id: str) -> str:
    # JSON, so that no two calls are spelt alike and half a surrogate pair in a caller's id does no harm.
    return str(uuid.uuid5(_NAMESPACE, json.dumps([session.user_id, session.session_id, call_id])))
