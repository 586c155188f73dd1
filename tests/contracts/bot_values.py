"""Events about bots for the session store's contract."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shared.bots.facts import BotEvent, FactKind
from shared.keys import SessionKey
from shared.sessions.inbound_port import AddressedEvent, DeadLetter

SOURCE = "urn:the0:runtime"


def bot_event(event_id: str, time: datetime, **changes: Any) -> BotEvent:
    """A run that completed, unless `changes` say otherwise."""
    facts: dict[FactKind, dict[str, Any]] = {"completed": {"result": event_id}, "metrics": {"n": event_id}}
    values: dict[str, Any] = {
        "source": SOURCE,
        "event_id": event_id,
        "type": "bot.execution.completed",
        "time": time,
        "bot_id": "bot-1",
        "data": {"result": event_id},
        "facts": facts,
    }
    return BotEvent(**(values | changes))


def crash(event_id: str, time: datetime, **changes: Any) -> BotEvent:
    """A run that failed, without a log of its own."""
    value = {"error": f"it broke ({event_id})"}
    return bot_event(
        event_id,
        time,
        **({"type": "bot.execution.failed", "facts": {"failed": value}, "data": value} | changes),
    )


def log_line(event_id: str, time: datetime, line: str, **changes: Any) -> BotEvent:
    """An error line of the bot's log."""
    facts: dict[FactKind, dict[str, Any]] = {"log": {"error": line}}
    return bot_event(
        event_id, time, **({"type": "the0.bot.log", "facts": facts, "data": {"line": line}} | changes)
    )


def to(event: BotEvent, *keys: SessionKey) -> AddressedEvent:
    """The event for these sessions."""
    return AddressedEvent(event=event, keys=keys)


def letter(letter_id: str, received_at: datetime, **changes: Any) -> DeadLetter:
    """An event that named a bot nobody knows."""
    values: dict[str, Any] = {
        "letter_id": letter_id,
        "reason": "unknown_bot",
        "detail": "no session deployed the bot",
        "received_at": received_at,
        "payload": {"data": {"n": 2**70}},
        "source": SOURCE,
        "event_id": letter_id,
        "type": "the0.bot.created",
        "time": received_at,
        "bot_id": "bot-1",
    }
    return DeadLetter(**(values | changes))
