"""The events that we store for publishing, and for whom each is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# What subscribers see; the Pub/Sub topics are settings.
NATS_SUBJECT = "ai.agent.events"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventKind:
    """One type: `subscribers` are whoever listens to our events, `agent` is our own events function.

    `both`: for subscribers, and the events function makes something of it where it hears it.
    """

    type: str
    audience: Literal["subscribers", "agent", "both"]
    tells: str


KINDS: tuple[EventKind, ...] = (
    EventKind(type="ai.bot.suggestion", audience="subscribers", tells="the agent suggests a bot"),
    EventKind(type="ai.artifact.created", audience="subscribers", tells="a file has a new version"),
    EventKind(type="ai.bot.deployed", audience="both", tells="the platform has a bot of a session"),
    EventKind(type="ai.turn.completed", audience="subscribers", tells="a turn has ended, however it did"),
    EventKind(type="turn.diagnose", audience="agent", tells="a bot crashed whose user wants it diagnosed"),
    EventKind(type="turn.resume", audience="agent", tells="a turn was left by its instance and is to go on"),
)
_FOR_AGENT = frozenset(kind.type for kind in KINDS if kind.audience == "agent")
_HEARD = frozenset(kind.type for kind in KINDS if kind.audience != "subscribers")


def is_for_agent(event_type: str) -> bool:
    """Whether the type goes to our own events function, and to nobody else."""
    return event_type in _FOR_AGENT


def is_for_subscribers(event_type: str) -> bool:
    """Whether the type is one of those that we tell others."""
    return any(kind.type == event_type and kind.audience != "agent" for kind in KINDS)


def is_heard_by_agent(event_type: str) -> bool:
    """Whether our own events function makes something of the type, alone or beside subscribers."""
    return event_type in _HEARD
