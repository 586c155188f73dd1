"""What the domain asks of the session store: sessions, their turns, tool calls, artifact records, events.

The protocols are one store behind one connection pool, because their writes belong together; those of
events, accounts and deployments are in outbox_port.py, inbound_port.py, account_port.py, deployment_port.py.
Every method takes the full key; a row of another user is as good as absent, in the query itself.
All methods raise StoreUnavailableError when the database does not answer, and then nothing was written.
Every write may be repeated with the same arguments and has one effect and the same answer: an adapter repeats
one by itself when the answer to its commit was lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from shared.artifact import Artifact
from shared.ids import new_id
from shared.keys import ArtifactKey, SessionKey
from shared.messages import ToolResult
from shared.session import Session, Summary
from shared.sessions.account_port import NamedLeases, UsageLedger, UserSecrets
from shared.sessions.deployment_port import DeploymentStore
from shared.sessions.inbound_port import BotEvents, DeadLetters
from shared.sessions.outbox_port import EventOutbox, OutgoingEvent

# The form that says to type checkers that others may have it from here.
from shared.sessions.page import Page as Page  # noqa: PLC0414
from shared.sessions.retention_port import Retention
from shared.turn import DecisionStep, ResumedStep, Step, Turn, TurnRequest

IfBusy = Literal["reject", "wait", "interrupt", "rollback"]


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

    `idempotency_key` with `body_hash` makes a repeat return the turn that is there. `wait_seconds` is how
    long a place in the session's line is kept unless it is renewed (`TurnStore.claim_waiting`).
    `known_revision`: the caller holds the history as it was at that revision of the session and needs it
    only if it has changed.
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
    if_busy: IfBusy = "reject"
    wait_seconds: float = 30.0
    known_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunTurn:
    """A turn that may run; or, `lease` None, one that waits in line or that the idempotency key named before.

    `history` holds the session's ended turns before it and after those of `summary`, oldest first, complete
    turns only, the newest that hold about `history_messages` messages between them. It is None when the
    session was still at `known_revision`, and the caller has it. `base_revision` is the session's revision
    before this write.
    """

    turn: Turn
    session: Session
    lease: Lease | None
    history: tuple[Turn, ...] | None = ()
    summary: Summary | None = None
    base_revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenTurn:
    """What to take a turn up again with: `step` is the next step of its record, by number create-only.

    A DecisionStep answers a paused turn; a ResumedStep goes on with one that is `interrupted` (also: running
    under a lease that has run out, or waiting without one) or `failed`. A waiting turn that nobody holds a
    place for begins at once, with its step 0 before `step`, when the session is free. `taking_id` names this
    taking, so that a repeat of it finds what it did.
    """

    user_id: str
    turn_id: str
    step: DecisionStep | ResumedStep
    now: datetime
    lease_seconds: float
    history_messages: int
    taking_id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToolCall:
    """A tool call that a caller named, about to run; `arguments_hash` tells whether a repeat is the same.

    `lease_seconds` is how long the call may take: after that it counts as dead. `token` is the caller's own,
    never used before: it becomes the claim's.
    """

    key: SessionKey
    call_id: str
    name: str
    arguments_hash: str
    now: datetime
    lease_seconds: float
    token: int


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Resealed:
    """What one call of `Store.reseal` did, and the place from which the next goes on (None at the end)."""

    written: int
    unreadable: int
    after: str | None


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

        The session is busy while a turn of it is running or paused under a lease that has not run out, or a
        turn waits in its line under a place that has not run out. (An unfinished turn whose lease or place
        has run out is marked `interrupted`, its held events are let go, and it is in nobody's way.) Then:

        - `reject`: TurnInProgressError, or ApprovalRequiredError when the turn in the way is paused.
        - `wait`: the turn gets the last place in the line: it comes back `waiting`, without a lease.
        - `interrupt`: the running or paused turn is marked `interrupted`, its lease is lost, its events are
          let go; the new turn begins, before any that wait.
        - `rollback`: the running or paused turn is removed with its steps, its artifact versions, its held
          events and the title it gave, as if it had never been; the new turn begins, before any that wait.
          Its idempotency key stays taken (TurnNotFoundError from then on), so that a late repeat does not
          bring it back.

        Raises:
            TurnInProgressError, ApprovalRequiredError: as above; `turn_id` is in the details.
            IdempotencyMismatchError: the key was used with another body in the last 24 hours.
            TurnNotFoundError: the key's turn was rolled back.
            SessionNotFoundError: the session was deleted.
        """
        ...

    async def knows_key(self, *, user_id: str, idempotency_key: str, now: datetime) -> bool:
        """Whether the user's idempotency key names a turn, in its 24 hours."""
        ...

    async def claim_waiting(
        self,
        *,
        key: SessionKey,
        turn_ids: tuple[str, ...],
        now: datetime,
        lease_seconds: float,
        wait_seconds: float,
        history_messages: int,
    ) -> BegunTurn | None:
        """Renews the places of these waiting turns; begins the line's first if it is one of them.

        It begins when the session is free, and gets its number and step 0 then. Those of others before it
        whose places have run out are marked `interrupted`. None: not yet, or none of them waits any more.

        Raises:
            SessionNotFoundError: the session was deleted.
        """
        ...

    async def take_turn(self, *, taken: TakenTurn) -> BegunTurn:
        """Takes up a paused, interrupted or failed turn: a new lease, `taken.step` recorded, the history.

        A DecisionStep of a call whose approval has run out, was answered or is of another turn is refused.

        Raises:
            TurnNotFoundError: the user has no such turn.
            TurnInProgressError: it, or another turn of the session, is running.
            ApprovalRequiredError: it is paused and `step` is no decision.
            SessionConflictError: it has ended for good, the session has gone on after it, or there is no such
                approval open.
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
        pause_until: datetime | None = None,
    ) -> None:
        """Writes step `number`, create-only, with the events it causes, and renews the lease.

        With `pause_until` the turn is paused: its lease lasts until then, and no other write of this lease
        is taken but a further one with `pause_until`. Events wait for the turn's end before they go out.

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

        The turn's held events go out, then `events`.

        The last of `steps` is the FinalStep, whose status becomes the turn's.

        Raises:
            SessionConflictError: the lease was lost, the turn has ended, or the step is there already.
        """
        ...

    async def renew_lease(self, *, lease: Lease, now: datetime, lease_seconds: float) -> None:
        """Keeps the lease for another while; raises SessionConflictError when it was lost."""
        ...

    async def lost_leases(self, *, leases: tuple[Lease, ...]) -> tuple[Lease, ...]:
        """Those of the leases that no longer hold, as their turns were stopped, ended or taken over."""
        ...

    async def stop_turn(
        self,
        *,
        user_id: str,
        turn_id: str,
        status: Literal["cancelled", "interrupted"],
        now: datetime,
        events: tuple[OutgoingEvent, ...] = (),
    ) -> Turn:
        """Ends an unfinished turn from outside, keeping its record; whoever ran it has lost its lease.

        The turn as it is then; one that has ended already stays as it is, and `events` are not stored.
        A waiting turn gets its number, step 0 and then this end. Raises TurnNotFoundError.
        """
        ...

    async def save_summary(self, *, lease: Lease, summary: Summary, now: datetime) -> None:
        """Replaces the session's summary by one that reaches further.

        Raises:
            SessionConflictError: the lease was lost.
        """
        ...

    async def load_turn(self, *, user_id: str, turn_id: str) -> Turn:
        """The turn with its steps so far; raises TurnNotFoundError.

        An unfinished turn whose lease or place has run out reads as `interrupted`.
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
        """Records a version, create-only; False when that version number is, or was, taken.

        A file that was deleted comes back with its next number. The events of a version that an unfinished
        turn saved (`artifact.turn_id`) wait for its end.

        Raises:
            SessionNotFoundError; TooLargeError when the session would have more than `max_files` files;
            SessionConflictError when `artifact.turn_id` was rolled back.
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
