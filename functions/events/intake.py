"""Events taken in, one or a thousand at a time: read, addressed, recorded; what cannot be is a dead letter.

A batch is a few statements of the store. It may fail as a whole, when the store is down: all of it may come
again then, for nothing is applied twice.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from functions.events.addressing import Addressing, Refusal
from functions.events.crashes import CrashDesk
from functions.events.letters import Received, dead_letter, received_again
from functions.events.registry import HANDLERS, Action, Reading
from functions.events.told import Told
from functions.events.traced import place_of, processed, processing
from shared.bots.facts import BotEvent
from shared.clock import Clock
from shared.errors import AppError, UnprocessableError
from shared.events.envelope import CloudEvent
from shared.keys import SessionKey
from shared.sessions.inbound_port import AddressedEvent, DeadLetter
from shared.sessions.port import Store
from shared.tracing.port import Span
from shared.tracing.spans import NO_SPAN, Within
from shared.web.body import parse

_log = logging.getLogger(__name__)

Observe = Callable[[str, str, int], None]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GONE = Refusal(reason="unknown_session", detail="there is no such session")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of an event: `status` is `applied`, `duplicate`, an action's word, or why it is a letter.

    `letter` is the letter that it became, `bot_id` the bot that it was about.
    """

    received: Received
    status: str
    reason: str | None = None
    letter: DeadLetter | None = None
    bot_id: str | None = None


@dataclass(slots=True)
class _Case:
    """An event on its way."""

    received: Received
    told: Told | None = None
    keys: tuple[SessionKey, ...] = ()
    refusal: Refusal | None = None
    status: str = ""
    span: Span = NO_SPAN

    @property
    def bot_id(self) -> str | None:
        return self.told.of.bot_id if self.told is not None else None


class Intake:
    """Takes events in; `observe` is told of each type and outcome, and how many."""

    def __init__(
        self, *, store: Store, addressing: Addressing, crashes: CrashDesk, clock: Clock, observe: Observe
    ) -> None:
        self._store = store
        self._crashes = crashes
        self._addressing = addressing
        self._clock = clock
        self._observe = observe

    async def take_in(self, received: Sequence[Received]) -> list[Taken]:
        """What became of each, in their order.

        Raises:
            StoreUnavailableError: none of it may have been applied, and all may come again.
            UnavailableError: an action is to be tried again.
        """
        with processing(received) as spans:
            taken = await self._take_in(received, spans)
            for span, each in zip(spans, taken, strict=True):
                processed(span, each.status)
            return taken

    async def _take_in(self, received: Sequence[Received], spans: Sequence[Span]) -> list[Taken]:
        now = self._clock()
        cases = [_read(each, now) for each in received]
        for case, span in zip(cases, spans, strict=True):
            case.span = span
        await self._address(cases)
        await self._record(cases, now)
        await self._act(cases)
        taken = [_taken(case, now) for case in cases]
        letters = tuple(each.letter for each in taken if each.letter is not None)
        if letters:
            await self._store.keep_dead_letters(letters=letters)
        self._tell(taken)
        return taken

    async def replay(self, letters: Sequence[DeadLetter]) -> list[Taken]:
        """What became of letters that are read again; those that were applied wait no more.

        Raises:
            UnprocessableError: one was not kept whole.
            StoreUnavailableError, UnavailableError: as `take_in`.
        """
        taken = await self.take_in([received_again(letter) for letter in letters])
        settled = tuple(
            letter.letter_id for letter, each in zip(letters, taken, strict=True) if each.letter is None
        )
        if settled:
            await self._store.settle_dead_letters(letter_ids=settled, now=self._clock())
        return taken

    async def _address(self, cases: Sequence[_Case]) -> None:
        wanted = frozenset(case.bot_id for case in cases if case.bot_id is not None)
        deployed = await self._addressing.bots.of(wanted)
        for case in cases:
            if case.told is None or case.refusal is not None:
                continue
            found = await self._addressing.sessions_of(case.told, deployed.get(case.bot_id or "", ()))
            if isinstance(found, Refusal):
                case.refusal = found
            else:
                case.keys = found

    async def _record(self, cases: Sequence[_Case], now: datetime) -> None:
        addressed = [case for case in cases if case.keys]
        if not addressed:
            return
        events = tuple(AddressedEvent(event=_bot_event(case), keys=case.keys) for case in addressed)
        outcomes = await self._store.record_events(events=events, now=now)
        for case, outcome in zip(addressed, outcomes, strict=True):
            if outcome == "unknown_session":
                case.refusal = _GONE
            else:
                case.status = outcome
        there = [
            event for event, outcome in zip(events, outcomes, strict=True) if outcome != "unknown_session"
        ]
        await self._crashes.notice(there, now)

    async def _act(self, cases: Sequence[_Case]) -> None:
        """Does what events ask for, one after another, when the others are recorded."""
        for case in cases:
            event = case.received.event
            handler = HANDLERS.get(event.type) if event is not None else None
            if event is None or case.refusal is not None or not isinstance(handler, Action):
                continue
            try:
                with Within(place_of(case.received, case.span)):
                    case.status = await handler.handle(event, parse(event.data, handler.data))
            except UnprocessableError as error:
                case.refusal = Refusal(reason="malformed", detail=error.message)
            except AppError as error:
                if error.retryable and error.http_status >= 500:
                    raise
                _log.error("event not applied", extra={"event_type": event.type, "code": error.code})
                case.status = error.code

    def _tell(self, taken: Sequence[Taken]) -> None:
        kinds: Counter[tuple[str, str]] = Counter()
        letters: dict[str, list[str]] = {}
        for each in taken:
            event = each.received.event
            kinds[event.type if event and event.type in HANDLERS else "other", each.status] += 1
            if each.letter is not None:
                letters.setdefault(each.letter.reason, []).append(each.letter.letter_id)
        for (kind, status), number in kinds.items():
            self._observe(kind, status, number)
        for reason, letter_ids in letters.items():
            # One line however many they are: what they are is in the record.
            facts = {"reason": reason, "events": len(letter_ids), "letter_id": letter_ids[0]}
            _log.warning("events not applied", extra=facts)


def _read(received: Received, now: datetime) -> _Case:
    """The event with what it tells, or why it is none."""
    event = received.event
    if event is None:
        return _refused(received, Refusal(reason="malformed", detail=received.problem))
    if event.undeliverable is not None and received.letter_received_at is None:
        # Replayed, it is tried: what kept it from being delivered may be mended.
        return _refused(received, Refusal(reason="undeliverable", detail=event.undeliverable))
    if event.time is None:
        event = replace(event, time=received.letter_received_at or now)
        received = replace(received, event=event)
    handler = HANDLERS.get(event.type)
    if handler is None:
        return _refused(received, Refusal(reason="unknown_type", detail="no handler knows the type"))
    if isinstance(handler, Action):
        return _Case(received)
    return _read_data(received, event, handler)


def _read_data(received: Received, event: CloudEvent, handler: Reading) -> _Case:
    try:
        if event.time is not None and event.time < _EPOCH:
            raise UnprocessableError("time: is before 1970")
        return _Case(received, told=handler.tell(event, parse(event.data, handler.data)))
    except UnprocessableError as error:
        return _refused(received, Refusal(reason="malformed", detail=error.message))


def _refused(received: Received, refusal: Refusal) -> _Case:
    return _Case(received, refusal=refusal)


def _bot_event(case: _Case) -> BotEvent:
    event, told = case.received.event, case.told
    assert event is not None
    assert event.time is not None
    assert told is not None
    return BotEvent(
        source=event.source,
        event_id=event.id,
        type=event.type,
        time=event.time,
        bot_id=told.of.bot_id,
        data=told.data,
        facts=told.facts,
    )


def _taken(case: _Case, now: datetime) -> Taken:
    if case.refusal is None:
        return Taken(received=case.received, status=case.status, bot_id=case.bot_id)
    letter = dead_letter(case.received, case.refusal, now=now, bot_id=case.bot_id)
    return Taken(
        received=case.received,
        status=case.refusal.reason,
        # Of a type that nobody knows there is no more to say.
        reason=None if case.refusal.reason == "unknown_type" else case.refusal.detail,
        letter=letter,
        bot_id=case.bot_id,
    )
