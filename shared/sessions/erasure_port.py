"""What erasing a user asks of the session store: all of the user's records, a bounded number at a time.

Bytes go before the records that name them, as a deleted session's files are out of everybody's reach: a
process that dies between leaves records by which the next run finds the bytes again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from shared.keys import SessionKey


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSession:
    """A session in any state; `is_running`: a turn of it holds its lease. A hold keeps it from erasure."""

    key: SessionKey
    is_deleted: bool
    is_held: bool
    is_running: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSessionPage:
    """Some sessions, and the place from which the next page goes on (None at the end)."""

    sessions: tuple[KnownSession, ...]
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedPart:
    """What one call removed, by kind of record.

    `object_keys` are of versions whose records are still there: their bytes are to be deleted, and the keys
    given to the next call. `turn_ids` went. `spared`: the session is live or held, and keeps what it has.
    """

    records: Mapping[str, int] = field(default_factory=dict)
    object_keys: tuple[str, ...] = ()
    turn_ids: tuple[str, ...] = ()
    state: Literal["more", "gone", "spared"]


class UserErasure(Protocol):
    """The records of one user, wherever they are.

    A new kind of record joins by its `user_id` column (SQL), or in firestore/collections.py.
    """

    async def list_user_sessions(self, *, user_id: str, after: str | None, limit: int) -> KnownSessionPage:
        """All sessions of the user, also deleted and emptied ones, by id.

        Raises:
            InvalidRequestError: `after` is no place that a call gave.
        """
        ...

    async def erase_session(self, *, key: SessionKey, gone: tuple[str, ...], limit: int) -> ErasedPart:
        """Removes records of a deleted session, at last its own, and with it the knowledge that it was.

        First those of the versions whose bytes are `gone`. A session that is live or held keeps everything.
        """
        ...

    async def erase_account(self, *, user_id: str, limit: int) -> ErasedPart:
        """Removes what the user has beside sessions: usage, permits, secrets, keys, what sessions left."""
        ...

    async def count_records(self, *, user_id: str) -> Mapping[str, int]:
        """How many records of each kind erasure would remove, but of kinds without any."""
        ...

    async def clean_up(self) -> None:
        """Takes what was removed out of the database's own file, where there is one and it is not large.

        Raises:
            StoreUnavailableError: it could not be done now; nothing else is lost.
        """
        ...
