"""What the domain asks of the store of sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from shared.keys import SessionKey
from shared.session import Session
from shared.sessions.page import Page


class SessionStore(Protocol):
    """Sessions."""

    async def create_session(
        self, *, key: SessionKey, title: str, context: dict[str, Any], now: datetime
    ) -> Session:
        """A new session.

        Raises:
            SessionConflictError: the user has one of that id (also a deleted one).
        """
        ...

    async def load_session(self, *, key: SessionKey) -> Session:
        """The session; raises SessionNotFoundError (also for a deleted one)."""
        ...

    async def list_sessions(self, *, user_id: str, limit: int, cursor: str | None) -> Page[Session]:
        """The user's sessions, most recently updated first; raises InvalidRequestError for a bad cursor."""
        ...

    async def set_title(self, *, key: SessionKey, title: str, now: datetime) -> Session:
        """Retitles; raises SessionNotFoundError."""
        ...

    async def patch_context(self, *, key: SessionKey, patch: dict[str, Any], now: datetime) -> Session:
        """Applies a JSON merge patch (RFC 7396) to the context; raises SessionNotFoundError."""
        ...

    async def delete_session(self, *, key: SessionKey, now: datetime) -> None:
        """Takes the session off every list and path; raises SessionNotFoundError."""
        ...
