"""The lines of turns that wait here for their sessions: one task a session asks for all of its turns."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.agent.local import LocalTurn, LocalTurns
from shared.clock import Clock
from shared.errors import AppError, SessionNotFoundError, TurnNotFoundError
from shared.keys import SessionKey
from shared.sessions.turn_port import BegunTurn, TurnStore
from shared.tracing.context import outside

_log = logging.getLogger(__name__)

# A place in line outlives a store that is away for a while; a process that died frees it in this time.
PLACE_SECONDS = 30.0
_SHORTEST, _LONGEST = 0.05, 1.0
_LOOK_SECONDS = 5.0


@dataclass(slots=True)
class _Line:
    turns: dict[str, LocalTurn] = field(default_factory=dict)
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None
    looked: float = field(default_factory=time.monotonic)


class WaitingLines:
    """Brings waiting turns to their start; `start` is called with each that may run."""

    def __init__(
        self,
        *,
        store: TurnStore,
        held: LocalTurns,
        clock: Clock,
        history_messages: int,
        lease_seconds: float,
        start: Callable[[BegunTurn, LocalTurn], object],
    ) -> None:
        self._store = store
        self._held = held
        self._clock = clock
        self._history_messages = history_messages
        self._lease_seconds = lease_seconds
        self._start = start
        self._lines: dict[SessionKey, _Line] = {}

    def join(self, turn: LocalTurn) -> None:
        """Waits for the turn's place to come up; the store has it in line already."""
        line = self._lines.setdefault(turn.key, _Line())
        line.turns[turn.turn_id] = turn
        if line.task is None:
            line.task = asyncio.create_task(self._serve(turn.key, line), context=outside())

    def leave(self, turn: LocalTurn) -> None:
        """The turn waits no longer."""
        line = self._lines.get(turn.key)
        if line is not None and line.turns.pop(turn.turn_id, None) is not None:
            self._held.remove(turn)
            line.stirred.set()

    def stir(self, key: SessionKey) -> None:
        """The session may be free now."""
        line = self._lines.get(key)
        if line is not None:
            line.stirred.set()

    def close(self) -> None:
        """Lets all waiting turns go; their places run out and they can be taken up elsewhere."""
        for line in list(self._lines.values()):
            if line.task is not None:
                line.task.cancel()
            for turn in list(line.turns.values()):
                self._held.remove(turn)
        self._lines.clear()

    async def _serve(self, key: SessionKey, line: _Line) -> None:
        pause = _SHORTEST
        while line.turns:
            line.stirred.clear()
            try:
                begun = await self._next(key, line)
                if begun is None and time.monotonic() - line.looked > _LOOK_SECONDS:
                    await self._drop_the_gone(line)
            except SessionNotFoundError:
                for turn in list(line.turns.values()):
                    self.leave(turn)
                break
            except AppError as error:
                _log.warning("line not served", extra={"code": error.code})
                begun = None
            if begun is not None:
                self._start(begun, line.turns.pop(begun.turn.turn_id))
                pause = _SHORTEST
                continue
            try:
                async with asyncio.timeout(pause):
                    await line.stirred.wait()
                pause = _SHORTEST
            except TimeoutError:
                pause = min(pause * 2, _LONGEST)
        # Nothing awaits between the loop's last look and this: a turn that joins later makes a new line.
        if self._lines.get(key) is line:
            del self._lines[key]

    async def _next(self, key: SessionKey, line: _Line) -> BegunTurn | None:
        begun = await self._store.claim_waiting(
            key=key,
            turn_ids=tuple(line.turns),
            now=self._clock(),
            lease_seconds=self._lease_seconds,
            wait_seconds=PLACE_SECONDS,
            history_messages=self._history_messages,
        )
        # One that left while the store answered is held by nobody: its lease runs out.
        return begun if begun is None or begun.turn.turn_id in line.turns else None

    async def _drop_the_gone(self, line: _Line) -> None:
        """Lets go of turns that were stopped from elsewhere, or whose places ran out unrenewed."""
        line.looked = time.monotonic()
        for turn in list(line.turns.values()):
            try:
                found = await self._store.load_turn(user_id=turn.key.user_id, turn_id=turn.turn_id)
            except TurnNotFoundError:
                self.leave(turn)
                continue
            if found.status != "waiting":
                self.leave(turn)
