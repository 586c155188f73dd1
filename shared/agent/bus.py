"""How a turn's live updates reach readers on other instances. A bus helps; the record is the truth."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

from shared.agent.updates import START, ContentUpdate, Position, Update

StopListener = Callable[[str], None]


class TurnBus(Protocol):
    """Carries updates and stop notices between instances; nothing it does may fail a turn."""

    def announce(self, *, turn_id: str, user_id: str, updates: Sequence[Update]) -> None:
        """Sends on what the turn's own feed was given, in its order; never blocks, never raises.

        A run that takes a turn up again begins with the record's updates from the start, as its feed does.
        What was lost on the way is not sent again: listeners find the gap.
        """
        ...

    def listen(
        self, *, turn_id: str, user_id: str, after: Position = START, silence: float = 3600
    ) -> AsyncIterator[tuple[Update, ...]]:
        """The updates after a position, also those sent before, without a gap, live.

        An empty tuple stands for every `silence` seconds in which nothing came. It ends with the turn's last
        update, and earlier when the bus fails or has lost some: then the record tells the rest. It does
        not see that the turn's instance died: whoever listens looks at the record in a long silence.
        """
        ...

    def announce_stop(self, *, turn_id: str) -> None:
        """Tells all instances that the turn was stopped or taken over; never blocks, never raises."""
        ...

    def on_stop(self, listener: StopListener) -> None:
        """Calls the listener with the id of each turn that was announced as stopped anywhere.

        A hint, which may be lost or wrong: ask `TurnStore.lost_leases`.
        """
        ...

    async def close(self) -> None:
        """Ends all listening; what was announced and is not yet sent is lost."""
        ...


class NoBus:
    """The bus of a deployment without one: nothing is carried, so readers poll the record."""

    def announce(self, *, turn_id: str, user_id: str, updates: Sequence[Update]) -> None:
        """Nobody is told."""

    async def listen(
        self, *, turn_id: str, user_id: str, after: Position = START, silence: float = 3600
    ) -> AsyncIterator[tuple[Update, ...]]:
        """Ends at once."""
        nothing: tuple[tuple[Update, ...], ...] = ()
        for updates in nothing:
            yield updates

    def announce_stop(self, *, turn_id: str) -> None:
        """Nobody is told."""

    def on_stop(self, listener: StopListener) -> None:
        """No notice ever comes."""

    async def close(self) -> None:
        """Holds nothing."""


def rest_of(update: Update, after: Position) -> Update | None:
    """The update, or the part of its text that lies after the position; None when nothing does."""
    if update.at <= after:
        return None
    if isinstance(update, ContentUpdate) and update.at.step == after.step:
        return ContentUpdate(update.at, update.content[-(update.at.offset - after.offset) :])
    return update
