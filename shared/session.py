"""A session: one user's lasting conversation."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.keys import SessionKey

TITLE_LENGTH = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What is known about a session; `revision` counts its changes.

    `context` is the JSON object that callers put there for the agent to know, `derived` what the events about
    the session's bots tell (shared/bots/context.py); lists of sessions leave it out.
    """

    key: SessionKey
    title: str
    context: dict[str, Any] = field(hash=False)
    created_at: datetime
    updated_at: datetime
    revision: int
    is_active: bool = True
    derived: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def whole_context(self) -> dict[str, Any]:
        """The context as callers and the model see it: what events tell stands before what was put there."""
        return {**self.context, **self.derived}


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What the turns up to number `through` said, folded into text, for a model that no longer sees them."""

    text: str
    through: int


def title_of(message: str) -> str:
    """The first words of a first message, as a session's default title."""
    line = " ".join(message.split())
    if len(line) <= TITLE_LENGTH:
        return line or "New session"
    return line[:TITLE_LENGTH].rsplit(" ", 1)[0].rstrip(" ,.;:") + "…"
