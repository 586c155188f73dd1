"""What the domain asks of the store of turns: their steps, appended under the one lease of a session."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from shared.ids import new_id
from shared.keys import SessionKey
from shared.session import Session, Summary
from shared.sessions.outbox_port import OutgoingEvent
from shared.sessions.page import Page
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

    async def interrupt_dead(self, *, now: datetime, limit: int) -> int:
        """Marks up to `limit` turns `interrupted` whose leases have run out, and lets their events go.

        How many it marked, the longest dead first. Each is as it would be by the next message to its session:
        it can be taken up again.
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
