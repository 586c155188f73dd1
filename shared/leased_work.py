"""Work that goes over several calls: for a bounded time, in steps, by one process at a time."""

from __future__ import annotations

import time
from collections.abc import Callable

from shared.clock import Clock
from shared.errors import ConflictError
from shared.sessions.account_port import NamedLeases

LEASE_SECONDS = 90.0
_RENEW_SECONDS = 15.0


class StoppedError(Exception):
    """The call's time is over, or another process has taken the work over."""


class LeasedWork:
    """One call of such work. A dry one takes no lease, as it changes nothing."""

    def __init__(
        self,
        *,
        leases: NamedLeases,
        name: str,
        holder: str,
        clock: Clock,
        seconds: float,
        dry: bool,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.is_dry = dry
        self._leases = leases
        self._name = name
        self._holder = holder
        self._clock = clock
        self._monotonic = monotonic
        now = monotonic()
        self._ends_at, self._renew_at = now + seconds, now + _RENEW_SECONDS

    async def begin(self, what: str) -> None:
        """Takes the lease; raises ConflictError that names `what` is under way in another process."""
        if not self.is_dry and not await self._take():
            raise ConflictError(f"{what} is under way in another process", retry_after=LEASE_SECONDS)

    async def step(self) -> None:
        """Before each piece of work: whether there is time, and it is still this process's.

        Raises:
            StoppedError: it is not.
        """
        if self._monotonic() >= self._ends_at:
            raise StoppedError
        if not self.is_dry and self._monotonic() >= self._renew_at:
            if not await self._take():
                raise StoppedError
            self._renew_at = self._monotonic() + _RENEW_SECONDS

    async def end(self) -> None:
        """Frees the lease."""
        if not self.is_dry:
            await self._leases.drop_named_lease(name=self._name, holder=self._holder)

    async def _take(self) -> bool:
        return await self._leases.take_named_lease(
            name=self._name, holder=self._holder, now=self._clock(), seconds=LEASE_SECONDS
        )
