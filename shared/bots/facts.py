"""Facts about bots, as events tell them; of each kind the newest counts, whatever the order of arrival."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

FactKind = Literal[
    "accepted",
    "created",
    "updated",
    "deleted",
    "completed",
    "failed",
    "log",
    "metrics",
    "market",
    "backtest",
]

# Its events are a bot's error lines: a failed run that brings no log of its own is shown with them.
LOG_TYPE = "the0.bot.log"


def event_key(source: str, event_id: str) -> str:
    """One word for `source` and `id` of an event, which together name it for good."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (source, event_id):
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(4, "big") + encoded)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class BotEvent:
    """An event as it is kept: `data` is what was worth keeping of it, bounded.

    `facts` is what it tells, by kind. `bot_id` is None for an event about a session alone.
    """

    source: str
    event_id: str
    type: str
    time: datetime
    bot_id: str | None
    data: dict[str, Any] = field(hash=False)
    facts: dict[FactKind, dict[str, Any]] = field(hash=False)

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return event_key(self.source, self.event_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """The newest fact of a kind about a bot (`bot_id` empty: about the session), and the event behind it.

    Of two with one time, the one with the greater event key is the newer, so that all stores agree.
    """

    bot_id: str
    kind: str
    time: datetime
    event_key: str
    event_type: str
    value: dict[str, Any] = field(hash=False)

    @property
    def order(self) -> tuple[datetime, str]:
        """Its place among facts of its kind."""
        return self.time, self.event_key


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """An error line that a bot wrote."""

    time: datetime
    text: str
