"""`turn.diagnose`: opens the turn that looks into a crash, and waits for its end as `turn.resume` does.

Nothing in the event is believed but names: the switch is the user's, the crash is what the store keeps of it.
However often it comes, and to however many instances, a crash opens one turn: the turn's idempotency key
follows from the crash's source and id. Crashes that look alike open one an hour, a bot one at a time.
"""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from datetime import datetime

from pydantic import BaseModel, Field

from functions.events.crashes import FRESH
from shared.bots.diagnosis import (
    MOST_LINES,
    crash_signature,
    diagnosis_key,
    diagnosis_request,
    wants_diagnosis,
)
from shared.bots.facts import LOG_TYPE
from shared.errors import (
    ConflictError,
    NotFoundError,
    RateLimitedError,
    UnavailableError,
)
from shared.events.envelope import CloudEvent
from shared.keys import SessionKey
from shared.resources import resources
from shared.sessions.inbound_port import RecordedEvent
from shared.sessions.port import Store
from shared.turn import Turn

ALIKE_SECONDS = 3600.0
_LEAST_APART_SECONDS = 900.0
_PAGE = 100
_MOST_PAGES = 5


class TurnDiagnose(BaseModel):
    """The crash, and the session to look into it."""

    user_id: str = Field(min_length=1, max_length=1024)
    session_id: str = Field(min_length=1, max_length=128)
    bot_id: str = Field(min_length=1, max_length=128)
    crash_source: str = Field(min_length=1, max_length=4096)
    crash_id: str = Field(min_length=1, max_length=4096)

    @property
    def key(self) -> SessionKey:
        """The session."""
        return SessionKey(user_id=self.user_id, session_id=self.session_id)


async def diagnose_crash(event: CloudEvent, data: TurnDiagnose) -> str:
    """What became of it: the turn's status, or why no turn was opened.

    `off`: the user has it switched off, or never had it on; `late`: the crash came over an hour ago;
    `cooling_down`: the bot has one open, or had one for a crash like this one; `limited`: the user's limits
    allow no turn now; `gone`: session, crash or turn are not there; `gave_up`: the session was not free.

    Raises:
        UnavailableError: the store is down, or this instance stops; a redelivery goes on.
    """
    try:
        return await _look_into(data)
    except (NotFoundError, ConflictError):
        # Session, crash or turn was removed, or the session has gone on without the turn.
        return "gone"


async def _look_into(data: TurnDiagnose) -> str:
    store, now = await resources().store(), resources().clock()
    session = await store.load_session(key=data.key)
    if not wants_diagnosis(session.context, data.bot_id):
        return "off"
    history = await _history(store, data)
    crash = next((each for each in history if _is_crash(each, data)), None)
    if crash is None:
        return "gone"
    if now - crash.received_at > FRESH:
        return "late"
    claim = _Claim(store, data, crash)
    if not await claim.take(now):
        return "cooling_down"
    try:
        turn = await _diagnosed(store, data, crash, history, claim.seconds)
    except RateLimitedError:
        await claim.drop()
        return "limited"
    return await _told(turn)


async def _told(turn: Turn | None) -> str:
    """The word for what became of the turn."""
    if resources().settings.hands_turns_over:
        # This instance may stand still once it has answered.
        await resources().publish_now()
    if turn is None:
        return "gave_up"
    if turn.status == "interrupted":
        raise UnavailableError("the turn was interrupted before its end", retry_after=1)
    return turn.status


class _Claim:
    """The right to diagnose: of a bot's crashes one at a time, of those that look alike one an hour.

    Held for the crash, so that a repeat of its event finds it its own.
    """

    def __init__(self, store: Store, data: TurnDiagnose, crash: RecordedEvent) -> None:
        self._store = store
        self._holder = diagnosis_key(data.crash_source, data.crash_id)
        self._bot = _lease_name(data.user_id, data.bot_id)
        self._alike = _lease_name(data.user_id, data.bot_id, crash_signature(crash))
        # A turn waits for its place, then runs: it is over, or given up, before the next may begin.
        self.seconds = max(_LEAST_APART_SECONDS, 2 * resources().settings.turn_timeout)

    async def take(self, now: datetime) -> bool:
        """Takes both, or none."""
        take = self._store.take_named_lease
        # A little longer than the turn is waited for.
        if not await take(name=self._bot, holder=self._holder, now=now, seconds=self.seconds + 60):
            return False
        if await take(name=self._alike, holder=self._holder, now=now, seconds=ALIKE_SECONDS):
            return True
        await self._store.drop_named_lease(name=self._bot, holder=self._holder)
        return False

    async def drop(self) -> None:
        """Gives both back: no turn was opened."""
        for name in (self._bot, self._alike):
            await self._store.drop_named_lease(name=name, holder=self._holder)


async def _diagnosed(
    store: Store,
    data: TurnDiagnose,
    crash: RecordedEvent,
    history: tuple[RecordedEvent, ...],
    seconds: float,
) -> Turn | None:
    """The turn when it has ended; None when it was given up, as the session was busy for so long."""
    key = diagnosis_key(data.crash_source, data.crash_id)

    async def is_repeat() -> bool:
        return await store.knows_key(user_id=data.user_id, idempotency_key=key, now=resources().clock())

    await (await resources().turn_limits()).admit(data.user_id, is_repeat=is_repeat)
    engine = await resources().engine()
    turn = await engine.begin(
        key=data.key,
        request=diagnosis_request(crash, _lines(crash, history)),
        if_busy="wait",
        idempotency_key=key,
        # The crash is what is asked, whatever its words are by then.
        body_hash=hashlib.sha256(key.encode()).hexdigest(),
    )
    try:
        async with asyncio.timeout(seconds):
            return await engine.wait(user_id=data.user_id, turn_id=turn.turn_id)
    except TimeoutError:
        with suppress(NotFoundError):
            await engine.cancel(user_id=data.user_id, turn_id=turn.turn_id)
        return None


async def _history(store: Store, data: TurnDiagnose) -> tuple[RecordedEvent, ...]:
    """The bot's newest events, as far back as the crash."""
    found: list[RecordedEvent] = []
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        page = await store.bot_history(user_id=data.user_id, bot_id=data.bot_id, limit=_PAGE, cursor=cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None or any(_is_crash(each, data) for each in page.items):
            break
    return tuple(found)


def _is_crash(event: RecordedEvent, data: TurnDiagnose) -> bool:
    return event.source == data.crash_source and event.event_id == data.crash_id


def _lines(crash: RecordedEvent, history: tuple[RecordedEvent, ...]) -> tuple[str, ...]:
    """The last lines of the crash's own log, else the error lines that came of the bot."""
    logs = crash.data.get("logs")
    if isinstance(logs, list) and logs:
        return tuple(str(line) for line in logs)
    found: list[str] = []
    for event in history:
        if event.type == LOG_TYPE:
            found = [*str(event.data.get("line", "")).split("\n"), *found]
        if len(found) >= MOST_LINES:
            break
    return tuple(found[-MOST_LINES:])


def _lease_name(*parts: str) -> str:
    digest = hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
    return f"diagnosis-{digest[:40]}"
