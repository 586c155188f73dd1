"""Ending the background tasks of this package."""

from __future__ import annotations

import asyncio

_PATIENCE_SECONDS = 0.05


async def end_task(task: asyncio.Task[None] | None) -> None:
    """Cancels the task and returns when it has ended.

    It asks again and again: before Python 3.12 `asyncio.wait_for`, which redis-py sends with, loses a
    cancellation that comes as the send completes (https://github.com/python/cpython/issues/81839).
    """
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_PATIENCE_SECONDS)
