"""The sealed part of a dead letter, the same in all stores."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.sessions.inbound_port import DeadLetter

# For whom letters are sealed: no user has the empty name.
LETTER_OWNER = ""


def letter_value(letter: DeadLetter) -> dict[str, Any]:
    """What is sealed: all but the reason, the bot's id and the times to order and expire by."""
    return {
        "source": letter.source,
        "id": letter.event_id,
        "type": letter.type,
        "time": letter.time,
        "detail": letter.detail,
        "payload": letter.payload,
    }


def letter_of(
    value: Mapping[str, Any], *, letter_id: str, reason: str, bot_id: str | None, received_at: datetime
) -> DeadLetter:
    """The letter of `letter_value`."""
    return DeadLetter(
        letter_id=letter_id,
        reason=reason,
        detail=value["detail"],
        received_at=received_at,
        payload=value["payload"],
        source=value["source"],
        event_id=value["id"],
        type=value["type"],
        time=None if value["time"] is None else datetime.fromisoformat(value["time"]),
        bot_id=bot_id,
    )
