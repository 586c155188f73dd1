"""A circuit breaker: after a failure nobody waits for the server, until a while has passed and one tries."""

from __future__ import annotations

import time
from collections.abc import Callable

OPEN_SECONDS = 3.0


class Breaker:
    """Closed while the server answers. Open, it lets one call through every `open_seconds`."""

    def __init__(
        self, *, open_seconds: float = OPEN_SECONDS, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._open_seconds = open_seconds
        self._now = now
        self._next_try = 0.0
        self._open = False

    @property
    def is_open(self) -> bool:
        """Whether the last thing that is known of the server is a failure."""
        return self._open

    @property
    def is_waiting(self) -> bool:
        """Whether a call would be refused just now."""
        return self._open and self._now() < self._next_try

    def allows(self) -> bool:
        """Whether a call may go out; of those that come when the while is over, the first is the trial."""
        if self.is_waiting:
            return False
        if self._open:
            # The others wait for the outcome of this one.
            self._next_try = self._now() + self._open_seconds
        return True

    def succeeded(self) -> None:
        """The server answered."""
        self._open = False

    def failed(self) -> None:
        """The server did not answer."""
        self._open = True
        self._next_try = self._now() + self._open_seconds
