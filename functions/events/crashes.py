"""Crashes whose users want them diagnosed: each is put in the outbox, for a turn that opens by itself.

What is put there asks for the turn and waits for its end (handlers/turn_diagnose.py), so that whoever brings
events has its answer at once. A repeat of a crash asks again under the same id: the first may have been lost.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from shared.bots.diagnosis import CRASH_TYPE, SWITCH, wants_diagnosis
from shared.bots.facts import BotEvent
from shared.errors import SessionNotFoundError
from shared.keys import SessionKey
from shared.session import Session
from shared.sessions.inbound_port import AddressedEvent
from shared.sessions.outbox_port import EventOutbox, OutgoingEvent
from shared.sessions.session_port import SessionStore

# What broke longer ago is history: a log that is read in later opens no turns.
FRESH = timedelta(hours=1)
_NAMESPACE = uuid.UUID("3f0b9a52-6a43-4a0e-9f0a-6f2f3c1f8a77")
_LOOKS_AT_ONCE = 8
# A switch that is turned is heeded after this: a flood of crashes is not a flood of reads.
KNOWN_SECONDS = 5.0
_MOST_KNOWN = 10_000


class CrashDesk:
    """Asks for the diagnoses of crashes that were taken in."""

    def __init__(self, *, sessions: SessionStore, outbox: EventOutbox) -> None:
        self._sessions = sessions
        self._outbox = outbox
        self._looks = asyncio.Semaphore(_LOOKS_AT_ONCE)
        self._known: OrderedDict[SessionKey, tuple[float, Session | None]] = OrderedDict()

    async def notice(self, events: Sequence[AddressedEvent], now: datetime) -> None:
        """Asks for a diagnosis of the newest crash of each bot that has it switched on.

        Raises:
            StoreUnavailableError: the events are to come again.
        """
        newest: dict[tuple[str, str], AddressedEvent] = {}
        for each in events:
            event = each.event
            if event.type != CRASH_TYPE or event.bot_id is None or now - event.time > FRESH:
                continue
            place = (each.keys[0].user_id, event.bot_id)
            if place not in newest or newest[place].event.time < event.time:
                newest[place] = each
        if not newest:
            return
        wanted = {key for each in newest.values() for key in each.keys}
        found = dict(zip(wanted, await asyncio.gather(*map(self._look, wanted)), strict=True))
        for each in newest.values():
            await self._ask(each, [found[key] for key in each.keys], now)

    async def _ask(self, crash: AddressedEvent, sessions: Sequence[Session | None], now: datetime) -> None:
        event = crash.event
        assert event.bot_id is not None
        willing = [each for each in sessions if each and wants_diagnosis(each.context, event.bot_id)]
        if not willing:
            return
        # One turn, where the user was last.
        session = max(willing, key=lambda each: (each.updated_at, each.key.session_id))
        asked = OutgoingEvent(
            event_id=str(uuid.uuid5(_NAMESPACE, event.key)),
            type="turn.diagnose",
            data=_data(session.key, event),
        )
        await self._outbox.add_events(key=session.key, events=(asked,), now=now)

    async def _look(self, key: SessionKey) -> Session | None:
        until, known = self._known.get(key, (0.0, None))
        if time.monotonic() < until:
            return known
        async with self._looks:
            try:
                known = await self._sessions.load_session(key=key)
            except SessionNotFoundError:
                known = None
        self._known[key] = time.monotonic() + KNOWN_SECONDS, known and _slim(known)
        self._known.move_to_end(key)
        while len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return known


def _slim(session: Session) -> Session:
    """The session with what is looked at here: contexts may be large, and many are remembered."""
    return replace(session, context={SWITCH: session.context.get(SWITCH)}, derived={})


def _data(key: SessionKey, event: BotEvent) -> dict[str, str]:
    return {
        "session_id": key.session_id,
        "user_id": key.user_id,
        "bot_id": event.bot_id or "",
        "crash_source": event.source,
        "crash_id": event.event_id,
    }
