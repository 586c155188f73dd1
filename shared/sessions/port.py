"""What the domain asks of the session store: sessions, their turns, tool calls, artifact records, events.

The protocols are one store behind one connection pool, because their writes belong together.
Every method takes the full key; a row of another user is as good as absent, in the query itself.
All methods raise StoreUnavailableError when the database does not answer, and then nothing was written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from shared.artifact import Artifact
from shared.keys import ArtifactKey, SessionKey
from shared.messages import ToolResult
from shared.session import Session
from shared.turn import Step, Turn, TurnRequest

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """One page of a list and where the next begins (None at the end)."""

    items: tuple[T, ...]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingEvent:
    """An event to publish, stored in the same write as its cause; its id never changes."""

    event_id: str
    type: str
    data: dict[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to write to one running turn: the fencing token goes with each write."""

    key: SessionKey
    turn_id: str
    turn_number: int
    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTurn:
    """All that is needed to begin a turn, in one transaction.

    `idempotency_key` with `body_hash` makes a repeat return the turn that is there.
    """

    key: SessionKey
    turn_id: str
    request: TurnRequest
    prompt_version: str
    now: datetime
    lease_seconds: float
    default_title: str
    history_messages: int
    idempotency_key: str | None = None
    body_hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunTurn:
    """A turn that may run, or (`lease` None) the one that the idempotency key already named.

    `history` holds the session's ended turns before it, oldest first, complete turns only, the newest that
    hold about `history_messages` messages between them.
    """

    turn: Turn
    session: Session
    lease: Lease | None
    history: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToolCall:
    """A tool call that a caller named, about to run; `arguments_hash` tells whether a repeat is the same.

    `lease_seconds` is how long the call may take: after that it counts as dead.
    """

    key: SessionKey
    call_id: str
    name: str
    arguments_hash: str
    now: datetime
    lease_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolClaim:
    """The right to run one tool call and to record its result; the token fences off earlier claims."""

    key: SessionKey
    call_id: str
    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedToolCall:
    """A tool call that another claim holds: finished with its result, or running while its lease lasts."""

    name: str
    arguments_hash: str
    result: ToolResult | None
    lease_until: datetime


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


class TurnStore(Protocol):
    """Turns and their steps."""

    async def begin_turn(self, *, new: NewTurn) -> BegunTurn:
        """Creates the session if need be, takes its lease, records step 0 and reads the history.

        Raises:
            TurnInProgressError: a turn of the session is running and its lease has not run out. (A running
                turn whose lease has run out is marked `interrupted` and the new one begins.)
            IdempotencyMismatchError: the key was used with another body in the last 24 hours.
            SessionNotFoundError: the session was deleted.
        """
        ...

    async def append_step(
        self,
        *,
        lease: Lease,
        number: int,
        step: Step,
        now: datetime,
        lease_seconds: float,
        events: tuple[OutgoingEvent, ...] = (),
    ) -> None:
        """Writes step `number`, create-only, with the events it causes, and renews the lease.

        Raises:
            SessionConflictError: the lease was lost, the turn has ended, or the step is there already.
        """
        ...

    async def finish_turn(
        self,
        *,
        lease: Lease,
        number: int,
        steps: tuple[Step, ...],
        now: datetime,
        events: tuple[OutgoingEvent, ...] = (),
    ) -> None:
        """Writes the last steps from `number` on, ends the turn, releases the session: one transaction.

        The last of `steps` is the FinalStep, whose status becomes the turn's.

        Raises:
            SessionConflictError: the lease was lost, the turn has ended, or the step is there already.
        """
        ...

    async def renew_lease(self, *, lease: Lease, now: datetime, lease_seconds: float) -> None:
        """Keeps the lease for another while; raises SessionConflictError when it was lost."""
        ...

    async def load_turn(self, *, user_id: str, turn_id: str) -> Turn:
        """The turn with its steps so far; raises TurnNotFoundError.

        A running turn whose lease has run out reads as `interrupted`.
        """
        ...

    async def list_turns(self, *, key: SessionKey, limit: int, cursor: str | None) -> Page[Turn]:
        """The session's turns with their steps, newest first; raises SessionNotFoundError."""
        ...


class ArtifactIndex(Protocol):
    """The records of artifact versions; the bytes are in the object store."""

    async def add_version(
        self,
        *,
        artifact: Artifact,
        max_files: int,
        events: tuple[OutgoingEvent, ...] = (),
    ) -> bool:
        """Records a version, create-only; False when that version number is taken.

        A file that was deleted comes back with its next number.

        Raises:
            SessionNotFoundError; TooLargeError when the session would have more than `max_files` files.
        """
        ...

    async def newest(self, *, key: ArtifactKey) -> Artifact | None:
        """The newest version's record, also when the file is deleted (ask `list_artifacts` for that)."""
        ...

    async def load_version(self, *, key: ArtifactKey, version: int | None) -> Artifact:
        """The record of that version, or of the newest of a file that is not deleted.

        Raises:
            SessionNotFoundError, ArtifactNotFoundError.
        """
        ...

    async def list_artifacts(self, *, session: SessionKey) -> tuple[Artifact, ...]:
        """The newest version of each file not deleted, by filename; raises SessionNotFoundError."""
        ...

    async def list_versions(self, *, key: ArtifactKey) -> tuple[Artifact, ...]:
        """All versions of one file, newest first; raises SessionNotFoundError, ArtifactNotFoundError."""
        ...

    async def delete_artifact(self, *, key: ArtifactKey, now: datetime) -> None:
        """Marks the file deleted; raises SessionNotFoundError, ArtifactNotFoundError."""
        ...


class ToolCallStore(Protocol):
    """The record of tool calls that a caller named by an id: in a session an id runs once."""

    async def claim_tool_call(self, *, call: NewToolCall) -> ToolClaim | RecordedToolCall:
        """A claim when the id is new, or its call died (its lease ran out) and name and hash are the same.

        Otherwise the record that is there. Of two claims at once, one gets the record.

        Raises:
            SessionNotFoundError: the user has no such session.
        """
        ...

    async def load_tool_call(self, *, key: SessionKey, call_id: str) -> RecordedToolCall | None:
        """The record of an id, None when nothing was claimed or the claim was released."""
        ...

    async def complete_tool_call(self, *, claim: ToolClaim, result: ToolResult) -> None:
        """Records the result for good.

        Raises:
            SessionConflictError: the claim was released, or another has taken it over.
        """
        ...

    async def release_tool_call(self, *, claim: ToolClaim) -> None:
        """Frees the id of a call that did not come to a result; nothing happens when the claim was lost."""
        ...


class EventOutbox(Protocol):
    """Events to publish that have no other cause in the store."""

    async def add_events(self, *, key: SessionKey, events: tuple[OutgoingEvent, ...], now: datetime) -> None:
        """Stores the events, all or none; one whose id the user's outbox holds already stays as it is.

        Raises:
            SessionNotFoundError: the user has no such session.
        """
        ...


class Store(SessionStore, TurnStore, ArtifactIndex, ToolCallStore, EventOutbox, Protocol):
    """The whole store, as an adapter provides it."""

    async def check(self) -> None:
        """Returns when the database answers; raises StoreUnavailableError when it does not."""
        ...

    async def close(self) -> None:
        """Lets go of connections."""
        ...
