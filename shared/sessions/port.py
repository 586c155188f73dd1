"""The session store, whole: one protocol a concern, each in its `*_port.py`.

They are one store behind one connection pool, because their writes belong together. This holds for all:
every method takes the full key; a row of another user is as good as absent, in the query itself.
All raise StoreUnavailableError when the database does not answer, and then nothing was written.
Every write may be repeated with the same arguments and has one effect and the same answer: an adapter repeats
one by itself when the answer to its commit was lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.sessions.account_port import NamedLeases, UsageLedger, UserSecrets
from shared.sessions.artifact_port import ArtifactIndex
from shared.sessions.deployment_port import DeploymentStore
from shared.sessions.erasure_port import UserErasure
from shared.sessions.export_port import ExportLists
from shared.sessions.inbound_port import BotEvents, DeadLetters
from shared.sessions.outbox_port import EventOutbox
from shared.sessions.retention_port import Retention
from shared.sessions.session_port import SessionStore
from shared.sessions.tool_call_port import ToolCallStore
from shared.sessions.turn_port import TurnStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Resealed:
    """What one call of `Store.reseal` did, and the place from which the next goes on (None at the end)."""

    written: int
    unreadable: int
    after: str | None


class Store(
    SessionStore,
    TurnStore,
    ArtifactIndex,
    ToolCallStore,
    DeploymentStore,
    EventOutbox,
    BotEvents,
    DeadLetters,
    UsageLedger,
    UserSecrets,
    NamedLeases,
    Retention,
    UserErasure,
    ExportLists,
    Protocol,
):
    """The whole store, as an adapter provides it."""

    async def tidy(self, *, now: datetime, limit: int) -> int:
        """Removes up to about `limit` records whose time is over; how many it removed.

        Idempotency keys past their 24 hours, tool calls of more than 24 hours ago, events published more than
        7 days ago, permits, reservations and named leases that have run out, days of usage older than 90,
        events about bots and dead letters received more than 30 days ago.
        """
        ...

    async def reseal(self, *, after: str | None, limit: int) -> Resealed:
        """Looks at up to about `limit` records, and writes their bodies again under the first encryption key.

        Only those that are not yet. Goes through the store in a fixed order from the place that the last call
        gave. A body that does not open stays as it is and is counted.

        Raises:
            InvalidRequestError: `after` is no place that a call gave.
        """
        ...

    async def check(self) -> None:
        """Returns when the database answers; raises StoreUnavailableError when it does not."""
        ...

    async def close(self) -> None:
        """Lets go of connections."""
        ...
