"""Writes the whole store again under the first encryption key: `python -m shared.sessions.reseal`.

It may be stopped at any moment, run twice, and run beside serving processes. After it has ended well no body is
left under another key than the first of ENCRYPTION_KEYS, nor plain, and older keys may be taken out.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import AppError, ConfigurationError
from shared.sessions.port import Store
from shared.sessions.select import open_store
from shared.settings import Settings, read_settings

BATCH = 200

_SAY_EVERY = 50


@dataclass(slots=True)
class Progress:
    """How far a run has come."""

    written: int = 0
    unreadable: int = 0
    place: str | None = None
    at_end: bool = False


async def reseal_store(
    store: Store, *, after: str | None = None, batch: int = BATCH, stop: asyncio.Event | None = None
) -> Progress:
    """Goes through the store once from the place `after`, in transactions of about `batch` records.

    Setting `stop` ends it after the transaction that runs.

    Raises:
        InvalidRequestError: `after` is no place of an earlier run.
        StoreUnavailableError: the store does not answer; what was written stays written.
    """
    progress = Progress(place=after)
    calls = 0
    while not progress.at_end and not (stop and stop.is_set()):
        done = await store.reseal(after=progress.place, limit=batch)
        progress.written += done.written
        progress.unreadable += done.unreadable
        progress.place, progress.at_end = done.after, done.after is None
        calls += 1
        if calls % _SAY_EVERY == 0:
            _say(f"{progress.written} written so far, at {progress.place}")
    return progress


async def run(settings: Settings, after: str | None, batch: int) -> int:
    """Does the work of the command; its exit status.

    Raises:
        ConfigurationError: there is no key to write with, or the store's settings are wrong.
    """
    if settings.encryption_keys is None:
        raise ConfigurationError("ENCRYPTION_KEYS: there is no key to write with")
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    store = await open_store(settings)
    try:
        first = await reseal_store(store, after=after, batch=batch, stop=stop)
        # A body that moved from one table to another in the meantime may have been passed by.
        again = await reseal_store(store, batch=batch, stop=stop) if first.written and first.at_end else first
    finally:
        await store.close()
    if again is not first:
        again.written += first.written
    if again.written and again.at_end:
        await _scrub(settings.database)
    return _report(again)


async def _scrub(database_url: str) -> None:
    if not database_url.startswith("sqlite"):
        return
    from shared.sessions.sql.scrub import scrub

    if not await asyncio.to_thread(scrub, database_url):
        _say("a process reads the database: its log keeps older bodies until that process ends or writes on")


def _report(done: Progress) -> int:
    _say(f"{done.written} bodies written under the first key")
    if done.unreadable:
        _say(f"{done.unreadable} bodies do not open with ENCRYPTION_KEYS and stay as they are")
    if not done.at_end:
        _say(f"stopped; go on with --after {done.place}" if done.place else "stopped at the beginning")
    return 0 if done.at_end and not done.unreadable else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Reseals the store of the settings; 0 when all of it is under the first key, 1 with the reason if not."""
    parser = argparse.ArgumentParser(prog="python -m shared.sessions.reseal", description=__doc__)
    parser.add_argument("--after", metavar="PLACE", help="where a run that was stopped goes on")
    parser.add_argument("--batch", type=int, default=BATCH, help="records in a transaction")
    chosen = parser.parse_args(arguments)
    try:
        return asyncio.run(run(read_settings(), chosen.after, max(1, chosen.batch)))
    except AppError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
