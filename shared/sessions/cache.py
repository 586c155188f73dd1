"""A store whose begin_turn need not read the history: it is kept in memory, and in a cache that is shared.

Never the only copy, and never believed: what is kept names the session's revision it belongs to, and the
store compares that with its own in the transaction that begins the turn. A history is kept when its turn
ended here, under the revision that the session then has if nobody else wrote: the one that the turn began at,
one more for each step it wrote and one for its end. Whatever another wrote has raised the session's
revision beyond it, for good.

When a database was set back to a backup, its revisions come again: empty Redis and restart the processes.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast

from shared.errors import SessionConflictError
from shared.keys import SessionKey
from shared.sessions.erasure_port import ErasedPart
from shared.sessions.history_form import (
    History,
    newest_turns,
    read_history,
    read_turn,
    with_forms,
    write_history,
    write_turn,
)
from shared.sessions.outbox_port import OutgoingEvent
from shared.sessions.port import Store
from shared.sessions.turn_port import BegunTurn, Lease, NewTurn, TakenTurn
from shared.shared_cache import SharedCache
from shared.turn import FinalStep, Step, Turn

_MAX_BYTES = 32 * 1024 * 1024
_MAX_SESSIONS = 1000
_MAX_RUNNING = 10_000
_SHARED_SECONDS = 3600.0
_PAGE = 200

RunName = tuple[str, str, int]


def cached_store(store: Store, shared: SharedCache | None = None) -> Store:
    """The store with a cache of histories before it; closing it closes the store.

    `shared` lets an instance have what another one kept; without it each keeps its own.
    """
    return cast(Store, CachedStore(store, shared))


@dataclass(slots=True)
class _Run:
    """A turn that runs here: what was before it, and what it has written."""

    begun: BegunTurn
    before: tuple[Turn, ...]
    messages: int
    forms: dict[int, bytes]
    written: dict[int, tuple[Step, datetime]] = field(default_factory=dict)


class CachedStore:
    """All other methods of `Store` are those of the store it was given."""

    def __init__(self, store: Store, shared: SharedCache | None = None) -> None:
        self._store = store
        self._shared = shared
        self._kept = _Kept()
        self._runs: OrderedDict[RunName, _Run] = OrderedDict()
        self._sharing: set[asyncio.Task[None]] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def begin_turn(self, *, new: NewTurn) -> BegunTurn:
        known = await self._known(new)
        begun = await self._store.begin_turn(
            new=replace(new, known_revision=known.revision) if known is not None else new
        )
        if begun.lease is None:
            return begun
        forms: dict[int, bytes] = {}
        if begun.history is None and known is not None:
            turns, forms = await self._unchanged(begun, known)
            begun = replace(begun, history=turns)
        self._began(begun, new.history_messages, forms)
        return begun

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
        begun = await self._store.claim_waiting(
            key=key,
            turn_ids=turn_ids,
            now=now,
            lease_seconds=lease_seconds,
            wait_seconds=wait_seconds,
            history_messages=history_messages,
        )
        if begun is not None:
            self._began(begun, history_messages)
        return begun

    async def take_turn(self, *, taken: TakenTurn) -> BegunTurn:
        begun = await self._store.take_turn(taken=taken)
        self._began(begun, taken.history_messages)
        return begun

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
        try:
            await self._store.append_step(
                lease=lease,
                number=number,
                step=step,
                now=now,
                lease_seconds=lease_seconds,
                events=events,
                pause_until=pause_until,
            )
        except SessionConflictError:
            self._runs.pop(_name(lease), None)
            raise
        run = self._runs.get(_name(lease))
        if run is not None:
            # By its number: a step that is written twice is one step.
            run.written[number] = (step, now)

    async def finish_turn(
        self,
        *,
        lease: Lease,
        number: int,
        steps: tuple[Step, ...],
        now: datetime,
        events: tuple[OutgoingEvent, ...] = (),
    ) -> None:
        run = self._runs.pop(_name(lease), None)
        await self._store.finish_turn(lease=lease, number=number, steps=steps, now=now, events=events)
        if run is None:
            return
        ended = _ended(run, number, steps, now)
        form = write_turn(ended) if ended is not None else None
        if form is None:
            return
        # As the store would give it back, which is not always as it was written.
        turn, forms = read_turn(form, lease.key), {run.begun.turn.number: form}
        history = History(
            revision=run.begun.session.revision + len(run.written) + 1,
            created_at=run.begun.session.created_at,
            messages=run.messages,
            turns=newest_turns((*run.before, turn), run.messages),
            forms=run.forms | forms,
        )
        self._keep(lease.key, history)

    async def erase_session(self, *, key: SessionKey, gone: tuple[str, ...], limit: int) -> ErasedPart:
        part = await self._store.erase_session(key=key, gone=gone, limit=limit)
        if part.state != "spared":
            self._kept.drop(key)
            if self._shared is not None:
                await self._shared.drop(key=_place(key))
        return part

    async def close(self) -> None:
        """Closes the store."""
        for task in tuple(self._sharing):
            task.cancel()
        await self._store.close()

    async def _known(self, new: NewTurn) -> History | None:
        """What is kept of the session, for a caller who does not hold a history of its own."""
        if new.known_revision is not None:
            return None
        known = self._kept.find(new.key)
        if known is None and self._shared is not None:
            form = await self._shared.get(key=_place(new.key))
            known = read_history(form, new.key) if form is not None else None
        return known if known is not None and known.messages == new.history_messages else None

    async def _unchanged(self, begun: BegunTurn, known: History) -> tuple[tuple[Turn, ...], dict[int, bytes]]:
        """The kept history, of which the store said that it is the session's still; with its forms."""
        through = begun.summary.through if begun.summary is not None else 0
        # The store has said so by the revision, which an erased session and one of its id may both have.
        is_same = begun.session.created_at == known.created_at
        # The number of the new turn says it once more.
        if is_same and begun.turn.number == known.turns[-1].number + 1:
            return tuple(turn for turn in known.turns if turn.number > through), known.forms
        self._kept.drop(begun.turn.key)
        return await self._read_again(begun.turn, through, known.messages), {}

    async def _read_again(self, before: Turn, through: int, messages: int) -> tuple[Turn, ...]:
        found: list[Turn] = []
        cursor: str | None = None
        while True:
            page = await self._store.list_turns(key=before.key, limit=_PAGE, cursor=cursor)
            found.extend(turn for turn in page.items if through < turn.number < before.number)
            enough = sum(max(1, len(turn.steps) - 1) for turn in found) > messages
            cursor = page.next_cursor
            if enough or cursor is None:
                return newest_turns(tuple(reversed(found)), messages)

    def _began(self, begun: BegunTurn, messages: int, forms: dict[int, bytes] | None = None) -> None:
        if begun.lease is None or begun.history is None:
            return
        self._runs[_name(begun.lease)] = _Run(begun, begun.history, messages, forms or {})
        if len(self._runs) > _MAX_RUNNING:
            self._runs.popitem(last=False)

    def _keep(self, key: SessionKey, history: History) -> None:
        """Keeps the history in the background: the turn's end waits for none of it."""
        task = asyncio.create_task(self._keep_soon(key, history))
        self._sharing.add(task)
        task.add_done_callback(self._sharing.discard)

    async def _keep_soon(self, key: SessionKey, history: History) -> None:
        whole = with_forms(history)
        if whole is None:
            self._kept.drop(key)
            return
        self._kept.keep(key, whole)
        if self._shared is not None:
            form = write_history(whole, key)
            await self._shared.put(key=_place(key), value=form, seconds=_SHARED_SECONDS)


class _Kept:
    """Histories in this process; the least recently used go when they are too many."""

    def __init__(self) -> None:
        self._bytes = 0
        self._histories: OrderedDict[SessionKey, History] = OrderedDict()

    def find(self, key: SessionKey) -> History | None:
        """What is kept of the session."""
        history = self._histories.get(key)
        if history is not None:
            self._histories.move_to_end(key)
        return history

    def keep(self, key: SessionKey, history: History) -> None:
        """Keeps the history in place of an older one."""
        self.drop(key)
        self._histories[key] = history
        self._bytes += history.size
        while self._bytes > _MAX_BYTES or len(self._histories) > _MAX_SESSIONS:
            self.drop(next(iter(self._histories)))

    def drop(self, key: SessionKey) -> None:
        """Forgets the session."""
        dropped = self._histories.pop(key, None)
        self._bytes -= dropped.size if dropped is not None else 0


def _ended(run: _Run, number: int, steps: tuple[Step, ...], now: datetime) -> Turn | None:
    """The whole turn; None when not all of its steps went through here."""
    turn, final = run.begun.turn, steps[-1]
    begun_with = len(turn.steps)
    if sorted(run.written) != list(range(begun_with, number)) or not isinstance(final, FinalStep):
        return None
    written = [run.written[each] for each in range(begun_with, number)]
    return replace(
        turn,
        status=final.status,
        completed_at=now,
        steps=(*turn.steps, *(step for step, _ in written), *steps),
        step_times=(*turn.step_times, *(at for _, at in written), *(now for _ in steps)),
    )


def _name(lease: Lease) -> RunName:
    return lease.key.user_id, lease.turn_id, lease.token


def _place(key: SessionKey) -> tuple[str, ...]:
    return "history", key.user_id, key.session_id
