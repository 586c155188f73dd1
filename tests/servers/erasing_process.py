"""`python -m tests.servers.erasing_process USER STEPS DAYS`: erases a user, and kills itself on its way.

The stores are those of the environment's settings; its clock is so many days ahead.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import timedelta

from shared.account.erasure import Erasure
from shared.artifacts.select import open_objects
from shared.clock import utc_now
from shared.ids import new_id
from shared.sessions.select import open_store
from shared.settings import read_settings


async def _main(user_id: str, steps: int, days: int) -> None:
    settings = read_settings()
    ticks = iter(range(steps + 2))

    def monotonic() -> float:
        # Asked before each step: the last of them finds no more.
        if next(ticks, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0.0

    erasure = Erasure(
        store=await open_store(settings),
        objects=open_objects(settings),
        clock=lambda: utc_now() + timedelta(days=days),
        holder=new_id(),
        monotonic=monotonic,
    )
    await erasure.run(user_id=user_id, seconds=60)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
