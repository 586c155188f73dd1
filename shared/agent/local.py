"""The turns that this process holds: those that run here, and those that wait here for their session."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextvars import Context, copy_context
from dataclasses import dataclass, field

from shared.agent.feed import TurnFeed
from shared.agent.run import TurnRun
from shared.keys import SessionKey


@dataclass(slots=True, kw_only=True, eq=False)
class LocalTurn:
    """A turn held here; `run` and `task` are None while it waits. `ended` is set when it has left.

    `context` is that of the request which began it: the turn's spans and log lines belong there.
    """

    key: SessionKey
    turn_id: str
    feed: TurnFeed = field(default_factory=TurnFeed)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    run: TurnRun | None = None
    task: asyncio.Task[None] | None = None
    context: Context = field(default_factory=copy_context)

    def abandon(self) -> None:
        """Stops it without a word in the record: its end is somebody else's."""
        if self.run is not None and self.task is not None:
            self.run.stop_as = None
            self.task.cancel()


class LocalTurns:
    """All of them, by turn id."""

    def __init__(self) -> None:
        self._turns: dict[str, LocalTurn] = {}

    def add(self, turn: LocalTurn) -> None:
        """Holds the turn from now on."""
        self._turns[turn.turn_id] = turn

    def remove(self, turn: LocalTurn) -> None:
        """Lets it go; its readers go on from the record."""
        if self._turns.get(turn.turn_id) is turn:
            del self._turns[turn.turn_id]
        turn.feed.close()
        turn.ended.set()

    def of_user(self, user_id: str, turn_id: str) -> LocalTurn | None:
        """The user's turn, when it is held here."""
        turn = self._turns.get(turn_id)
        return turn if turn is not None and turn.key.user_id == user_id else None

    def running(self) -> list[LocalTurn]:
        """Those that run."""
        return [turn for turn in self._turns.values() if turn.run is not None]

    def running_in(self, key: SessionKey) -> list[LocalTurn]:
        """Those that run in a session: one, and for a moment the one that lost its lease to it."""
        return [turn for turn in self.running() if turn.key == key]

    def __iter__(self) -> Iterator[LocalTurn]:
        return iter(list(self._turns.values()))
