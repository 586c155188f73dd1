"""What all parts of a process are opened by: once, on first use, the last opened closed first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from shared.clock import utc_now
from shared.one_parser import parse_one_at_a_time
from shared.settings import Settings
from shared.web.labels import models_of
from shared.web.telemetry import Telemetry

P = TypeVar("P")


class Parts:
    """The open parts of this process, by name."""

    def __init__(self, settings: Settings) -> None:
        parse_one_at_a_time()
        self.settings = settings
        self.clock = utc_now
        self.telemetry = Telemetry(models=models_of(settings), folder=settings.prometheus_multiproc_dir)
        self._open: dict[str, Any] = {}
        self._lock = asyncio.Lock()

    async def _once(self, name: str, opening: Callable[[], Awaitable[P]]) -> P:
        if name not in self._open:
            async with self._lock:
                if name not in self._open:
                    self._open[name] = await opening()
        part: P = self._open[name]
        return part


async def ready(part: P) -> P:
    """A part that nothing is awaited for, as `_once` takes it."""
    return part
