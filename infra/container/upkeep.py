"""What a scheduler asks of running functions: `upkeep retention|publish|pull [--url URL] [--every SECONDS]`.

It proves itself as our functions do to each other (SERVICE_AUTH, JWT_SECRET), so that a cron job needs no
token of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Any

import orjson

from shared.clock import utc_now
from shared.errors import AppError, UnavailableError
from shared.outbound import exchange
from shared.settings import Settings, read_settings
from shared.web.service_token import service_credentials

# Task -> the path that does it, and how long one call may take in seconds.
TASKS = {
    "retention": ("/artifacts/retention", 300),
    "publish": ("/events/publish", 60),
    "pull": ("/nats/pull", 60),
}
_MAX_BYTES = 64 * 1024
# Above the function's own time, for what it has begun.
_PATIENCE_SECONDS = 30


async def ask(task: str, current: Settings, *, url: str, seconds: int) -> dict[str, Any]:
    """What the function at `url` answers to one call.

    Raises:
        AppError: it cannot be reached, or refuses; the message has its status and words.
    """
    path, _ = TASKS[task]
    credentials = service_credentials(current, utc_now, url=url)
    headers = dict(await credentials(None)) if credentials is not None else {}
    try:
        answer = await exchange(
            "POST",
            f"{url.rstrip('/')}{path}",
            seconds=seconds + _PATIENCE_SECONDS,
            max_bytes=_MAX_BYTES,
            headers=headers,
            parameters={"seconds": str(seconds)},
        )
    except TimeoutError as error:
        raise UnavailableError(f"{task}: no answer within its time", retry_after=5) from error
    if answer.status != 200:
        words = answer.body[:500].decode("utf-8", "replace")
        raise UnavailableError(f"{task}: answered {answer.status}: {words}", retry_after=5)
    found: dict[str, Any] = orjson.loads(answer.body)
    return found


async def run(task: str, current: Settings, *, url: str, seconds: int, every: float | None) -> int:
    """Asks once and until the work is done, or again and again; 0 when it was done."""
    while True:
        status = await _once(task, current, url=url, seconds=seconds)
        if every is None:
            return status
        await asyncio.sleep(every)


async def _once(task: str, current: Settings, *, url: str, seconds: int) -> int:
    complete = False
    while not complete:
        try:
            answer = await ask(task, current, url=url, seconds=seconds)
        except AppError as error:
            sys.stderr.write(f"{error.message}\n")
            return 1
        sys.stdout.write(orjson.dumps(answer).decode() + "\n")
        sys.stdout.flush()
        # Retention alone stops half-way and says so.
        complete = bool(answer.get("complete", True))
    return 0


def main(arguments: Sequence[str]) -> int:
    """The command; 1 with the reason when the work was not done."""
    parser = argparse.ArgumentParser(prog="upkeep", description=__doc__)
    parser.add_argument("task", choices=sorted(TASKS))
    parser.add_argument("--url", help="of the function; this machine's PORT when left out")
    parser.add_argument("--seconds", type=int, help="one call may take; the rest is done by the next")
    parser.add_argument("--every", type=float, metavar="SECONDS", help="again and again until stopped")
    chosen = parser.parse_args(arguments)
    try:
        current = read_settings()
    except AppError as error:
        sys.stderr.write(f"{error.code}: {error.message}\n")
        return 1
    url = chosen.url or f"http://127.0.0.1:{current.port}"
    seconds = chosen.seconds or TASKS[chosen.task][1]
    return asyncio.run(run(chosen.task, current, url=url, seconds=seconds, every=chosen.every))
