"""How one process at a time works at what a call id names, and goes on when the caller leaves."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Generic, TypeVar

from shared.errors import AppError
from shared.sessions.deployment_port import Deployment, DeploymentStore, NewDeployment

T = TypeVar("T")

_TOKEN_BITS = 62
_CLOSE_SECONDS = 3.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0

_log = logging.getLogger(__name__)


class Work(Generic[T]):
    """What this process has begun and brings to its end, whether its callers wait or not."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[T]] = set()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What the work gives; it goes on when this call is cancelled."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Waits a little for what is under way, and cuts off the rest."""
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=_CLOSE_SECONDS)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    def _ended(self, task: asyncio.Task[T]) -> None:
        self._running.discard(task)
        if not task.cancelled() and isinstance(error := task.exception(), AppError):
            # Its caller may be gone.
            _log.info("deployment did not succeed", extra={"code": error.code})


async def hold(
    store: DeploymentStore, new: Callable[[int], NewDeployment], *, wait_seconds: float
) -> tuple[Deployment, int]:
    """The record, with the token that holds it where nobody else does or it has not ended.

    `new` gives the claim of a token. Where another process has it, it is waited for that long.
    """
    give_up = time.monotonic() + wait_seconds
    pause = _FIRST_PAUSE
    while True:
        claim = new(secrets.randbits(_TOKEN_BITS))
        record = await store.claim_deployment(new=claim)
        free = record.token == claim.token or record.has_ended or record.asked != claim.asked
        if free or time.monotonic() >= give_up:
            return record, claim.token
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


async def release(store: DeploymentStore, record: Deployment, now: datetime) -> None:
    """Lets a repeat go on at once."""
    if record.has_ended:
        return
    try:
        await store.write_deployment(deployment=record, now=now, lease_seconds=0)
    except AppError as error:
        # Its lease frees it.
        _log.warning("deployment not released", extra={"code": error.code})
