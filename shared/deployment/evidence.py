"""What is known of a bot on the platform, and the one place that says in which words.

The platform's API tells no state: what it has taken is "accepted, not started". Whether something runs is
known from its events alone, which the events function keeps in the session's context.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

from shared.keys import SessionKey
from shared.session import Session

Status = Literal["accepted, not started", "running", "stopped", "failed", "deleted", "unknown"]
ACCEPTED: Status = "accepted, not started"

# What an event can say; "unknown" is our own word, for a request whose answer was lost.
_STATUSES: dict[str, Status] = {status: status for status in get_args(Status) if status != "unknown"}
_MOST_CHARS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the platform's events say of one bot: since when, by which event, and what went wrong."""

    status: Status
    since: str | None = None
    evidence: str | None = None
    cause: str | None = None


class BotEvidence(Protocol):
    """What has been heard of the bots of a session."""

    async def of(self, *, session: SessionKey) -> dict[str, Known]:
        """By bot id; a bot that nothing was heard of is not in it.

        Raises:
            SessionNotFoundError: the user has no such session.
        """
        ...


class Sessions(Protocol):
    """The part of the session store that is asked here."""

    async def load_session(self, *, key: SessionKey) -> Session:
        """The session; raises SessionNotFoundError."""
        ...


class ContextEvidence:
    """`BotEvidence` of the member `bots` of the session's context, where the events function puts it."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def of(self, *, session: SessionKey) -> dict[str, Known]:
        found = (await self._sessions.load_session(key=session)).whole_context.get("bots")
        if not isinstance(found, dict):
            return {}
        read = {bot_id: _known(item) for bot_id, item in found.items() if isinstance(item, dict)}
        return {bot_id: known for bot_id, known in read.items() if known is not None}


def _known(item: dict[str, Any]) -> Known | None:
    """An entry, None where it tells no status of ours: a context is open to its user's own writes."""
    status = _STATUSES.get(str(item.get("status")))
    if status is None:
        return None
    evidence = _text(item.get("evidence"), "type")
    if status == "running" and evidence is None:
        return None
    return Known(
        status=status,
        since=_text(item.get("status_since")),
        evidence=evidence,
        cause=_text(item.get("last_error"), "text"),
    )


def _text(value: Any, member: str = "") -> str | None:
    """A text, or the member of an object that is one: an event is told as `{"type", "time"}`."""
    if isinstance(value, dict):
        value = value.get(member)
    return value[:_MOST_CHARS] if isinstance(value, str) and value else None
