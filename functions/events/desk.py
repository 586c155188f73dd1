"""What one process of the events function works with, made at first use."""

from __future__ import annotations

import time
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from functions.events.addressing import Addressing
from functions.events.crashes import CrashDesk
from functions.events.intake import Intake, Taken
from functions.events.late_bots import LateBots
from functions.events.letters import Received
from shared.events.stirring import StirringOutbox
from shared.resources import Resources, resources
from shared.sessions.inbound_port import DeadLetter
from shared.sessions.port import Store
from shared.web.auth import DEFAULT_USER

_COUNT_SECONDS = 5.0


class Desk:
    """Takes events in and reads letters again, and keeps the figures for `/metrics`."""

    def __init__(self, found: Resources, store: Store) -> None:
        self.store = store
        addressing = Addressing(store, is_local=found.settings.auth_mode == "none", default_user=DEFAULT_USER)
        self._intake = Intake(
            store=store,
            addressing=addressing,
            crashes=CrashDesk(sessions=store, outbox=StirringOutbox(store, found.publish_soon)),
            clock=found.clock,
            observe=found.telemetry.events_received,
        )
        self._late = LateBots(store=store, intake=self._intake, bots=addressing.bots)
        self._counted_at = float("-inf")
        self._tell = found.telemetry.dead_letters

    async def take_in(self, received: Sequence[Received]) -> list[Taken]:
        """See `Intake.take_in`."""
        taken = await self._intake.take_in(received)
        self._late.notice(taken)
        if any(each.letter is not None for each in taken):
            await self._count()
        return taken

    async def replay(self, letter: DeadLetter) -> Taken:
        """See `Intake.replay`."""
        [taken] = await self._intake.replay((letter,))
        await self._count(now=True)
        return taken

    async def close(self) -> None:
        """Ends what goes on in the background."""
        await self._late.close()

    async def _count(self, *, now: bool = False) -> None:
        """Counts the letters that wait, not at every letter of a flood."""
        if now or time.monotonic() - self._counted_at >= _COUNT_SECONDS:
            self._counted_at = time.monotonic()
            self._tell(await self.store.count_dead_letters())


_desks: WeakKeyDictionary[Resources, Desk] = WeakKeyDictionary()


async def desk() -> Desk:
    """The desk of this process."""
    found = resources()
    if found not in _desks:
        store = await found.store()
        # Another request may have made it meanwhile.
        if found not in _desks:
            _desks[found] = Desk(found, store)
    return _desks[found]
