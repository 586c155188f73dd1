"""Calls of an object store, repeated within one bound of time."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared.artifacts.port import CALL_SECONDS
from shared.errors import StoreUnavailableError

T = TypeVar("T")

ATTEMPTS = 4
# Long enough for a slow answer, short enough that a dead connection leaves time for another.
ATTEMPT_SECONDS = 9.0
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0

_log = logging.getLogger(__name__)


class TransientError(Exception):
    """A failure that a repeat may cure; the word says which, for the log."""


async def repeated(
    call: Callable[[int], Awaitable[T]],
    *,
    attempt_seconds: float | None = None,
) -> T:
    """What `call` (given the attempt, from 0) answers, asked up to four times within `CALL_SECONDS`.

    With full jitter: a pause is a random part of the exponential delay (M. Brooker, "Exponential Backoff And
    Jitter").

    Raises:
        StoreUnavailableError: each attempt raised TransientError or ran out of time. Others pass through.
    """
    word = "timeout"
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + CALL_SECONDS
    for attempt in range(ATTEMPTS):
        if attempt:
            # Spreads load, guards nothing.
            pause = random.uniform(0, min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE))  # noqa: S311
            await asyncio.sleep(min(pause, ends_at - loop.time()))
        left = ends_at - loop.time()
        if left <= 0:
            break
        try:
            async with asyncio.timeout(min(attempt_seconds or ATTEMPT_SECONDS, left)):
                return await call(attempt)
        except TransientError as error:
            word = str(error)
        except TimeoutError:
            word = "timeout"
        _log.warning("the object store failed", extra={"failure": word, "attempt": attempt})
    # The vendors' own errors hold addresses and parts of requests: none is chained.
    raise StoreUnavailableError(f"the artifact store did not answer ({word})", retry_after=2) from None
