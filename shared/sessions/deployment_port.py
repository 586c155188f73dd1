"""What the domain asks of the store about deployments: how far each has come, and which bot it made."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from shared.keys import SessionKey
from shared.sessions.outbox_port import OutgoingEvent

DeploymentState = Literal["begun", "uploaded", "created", "failed"]
# Where a deployment stays for good.
ENDED: tuple[DeploymentState, ...] = ("created", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDeployment:
    """A deployment that a caller named, about to begin or to be taken up again.

    `asked` tells whether a repeat asks for the same. `deployment_id` is kept from the first claim on.
    `token` is the caller's own, never used before; `lease_seconds` is how long its first step may take.
    """

    key: SessionKey
    call_id: str
    deployment_id: str
    asked: str
    progress: dict[str, Any] = field(hash=False)
    now: datetime
    lease_seconds: float
    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A deployment's record; who holds it has its token.

    `progress` is JSON of the deployer's own: what was sent and what came of it. `bot_id` is the platform's
    name of what was made, once that is known.
    """

    key: SessionKey
    call_id: str
    deployment_id: str
    asked: str
    state: DeploymentState
    token: int
    lease_until: datetime
    progress: dict[str, Any] = field(hash=False)
    bot_id: str | None = None

    @property
    def has_ended(self) -> bool:
        """Whether it stays as it is."""
        return self.state in ENDED


class DeploymentStore(Protocol):
    """Deployments by their call ids, written before and after each step that reaches outside."""

    async def claim_deployment(self, *, new: NewDeployment) -> Deployment:
        """The record as it is then; its token is `new.token` when the caller holds it.

        That is so when the id is new, or when the record asks for the same, has not ended, and its lease has
        run out: its progress is then what the last holder wrote. Of two claims at once one holds it.

        Raises:
            SessionNotFoundError: the user has no such session.
        """
        ...

    async def load_deployment(self, *, key: SessionKey, call_id: str) -> Deployment | None:
        """The record, None when there is none."""
        ...

    async def write_deployment(
        self,
        *,
        deployment: Deployment,
        now: datetime,
        lease_seconds: float,
        events: tuple[OutgoingEvent, ...] = (),
    ) -> None:
        """Writes the holder's state, progress and bot, keeps it held for that long, and stores the events.

        With a state of ENDED it is the last write. The events go out at once, whatever becomes of the turn
        that asked: what was made outside is there. Also when the session was deleted meanwhile.

        Raises:
            SessionConflictError: another holds it, or it has ended.
        """
        ...

    async def session_deployments(self, *, key: SessionKey, limit: int) -> tuple[Deployment, ...]:
        """The session's deployments of every kind, the last written first, at most `limit`."""
        ...

    async def sessions_of_bot(self, *, bot_id: str) -> tuple[SessionKey, ...]:
        """The sessions that deployed the bot, of any user, the newest first: for what the platform tells."""
        ...

    async def sessions_of_bots(self, *, bot_ids: frozenset[str]) -> dict[str, tuple[SessionKey, ...]]:
        """The same of each of many bots, of a bot that nobody deployed none."""
        ...
