"""A thread with an event loop of its own for ccxt, which parses megabytes of market lists as it goes.

Its throttles also belong to one loop, while ours may serve several. The loop lives as long as the process.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeVar

_Result = TypeVar("_Result")


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="market", daemon=True).start()
    return loop


async def on_market_loop(work: Coroutine[Any, Any, _Result]) -> _Result:
    """What the coroutine gives, run on the market thread; cancelling the caller cancels it."""
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, _loop()))
