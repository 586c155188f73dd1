"""What an export asks of the session store beside what is asked elsewhere: lists that are whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from shared.keys import SessionKey
from shared.sessions.account_port import Charge
from shared.sessions.deployment_port import Deployment


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFile:
    """A file of a session, and since when it is deleted."""

    filename: str
    deleted_at: datetime | None


class ExportLists(Protocol):
    """All there is of a kind, in a fixed order."""

    async def list_files_of(self, *, session: SessionKey) -> tuple[KnownFile, ...]:
        """The session's files by filename, also deleted ones; raises SessionNotFoundError."""
        ...

    async def list_deployments(self, *, session: SessionKey) -> tuple[Deployment, ...]:
        """The session's deployments by call id; raises SessionNotFoundError."""
        ...

    async def list_usage(self, *, user_id: str) -> Mapping[date, Charge]:
        """What counted as used on each day of UTC that is still kept, in order."""
        ...
