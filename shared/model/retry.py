"""When a failed model call is tried again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.errors import AppError


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often, and how many seconds after one another, a call is tried while nothing has come back.

    With full jitter: a pause is a random part of the exponential delay (M. Brooker, "Exponential Backoff And
    Jitter", 2015).
    """

    attempts: int = 4
    first_delay: float = 0.5
    longest_delay: float = 8.0

    def pause(self, *, attempt: int, hint: float | None, chance: float) -> float:
        """Seconds before the next attempt after `attempt` failed; never less than the service's `hint`."""
        delay = min(self.longest_delay, self.first_delay * 2 ** (attempt - 1))
        return chance * delay if hint is None else hint + chance * self.first_delay


class Retries:
    """A policy at work: waits before the next attempt, or says that there is none."""

    def __init__(
        self,
        policy: RetryPolicy | None = None,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._policy = policy or RetryPolicy()
        self._sleep = sleep
        self._chance = chance

    async def pause(
        self, error: AppError, *, attempt: int, deadline: float, max_attempts: int | None = None
    ) -> None:
        """Returns when the next attempt is due; `deadline` is a time of the event loop.

        Raises:
            AppError: the error itself, when there is no further attempt or no time left for it.
        """
        policy = self._policy
        most = policy.attempts if max_attempts is None else min(max_attempts, policy.attempts)
        pause = policy.pause(attempt=attempt, hint=error.retry_after, chance=self._chance())
        left = deadline - asyncio.get_running_loop().time()
        if not error.retryable or attempt >= most or pause >= left:
            raise error
        await self._sleep(pause)
