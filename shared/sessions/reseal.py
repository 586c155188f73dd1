"""Writes the whole store again under the first encryption key: `python -m shared.sessions.reseal`.

It may be stopped at any moment, run twice, and run beside serving processes. When it has ended well, no body
is under another key than the first of ENCRYPTION_KEYS, nor plain, and older keys may be taken out.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One way through the store: `place` is where it was stopped, None at the end."""

    written: int
    unreadable: int
    place: str | None
    at_end: bool


async def reseal_store(
    store: Store, *, after: str | None = None, batch: int = BATCH, stop: asyncio.Event | None = None
) -> Pass:
    """Goes through the store once from the place `after`, in transactions of about `batch` records.

    Setting `stop` ends it after the transaction that runs.

    Raises:
        InvalidRequestError: `after` is no place of an earlier run.
        StoreUnavailableError: the store does not answer; what was written stays written.
    """
    written = unreadable = calls = 0
    while not (stop and stop.is_set()):
        done = await store.reseal(after=after, limit=batch)
        written, unreadable, after = written + done.written, unreadable + done.unreadable, done.after
        if after is None:
            return Pass(written=written, unreadable=unreadable, place=None, at_end=True)
        calls += 1
        if calls % _SAY_EVERY == 0:
            _say(f"{written} written, at {after}")
    return Pass(written=written, unreadable=unreadable, place=after, at_end=False)


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
        passes = [await reseal_store(store, after=after, batch=batch, stop=stop)]
        if passes[0].written and passes[0].at_end:
            # A body that moved from one table to another in the meantime may have been passed by.
            passes.append(await reseal_store(store, batch=batch, stop=stop))
    finally:
        await store.close()
    if len(passes) > 1 and settings.database.startswith("sqlite"):
        await _scrub(settings.database)
    return _report(passes)


async def _scrub(database_url: str) -> None:
    from shared.sessions.sql.scrub import scrub

    if not await asyncio.to_thread(scrub, database_url):
        _say("a process reads the database: its log keeps older bodies until it is written over")


def _report(passes: Sequence[Pass]) -> int:
    last = passes[-1]
    _say(f"{sum(each.written for each in passes)} bodies written under the first key")
    if len(passes) > 1 and last.written:
        _say("a process writes under another key: restart all with these ENCRYPTION_KEYS and run this again")
    if last.unreadable:
        _say(f"{last.unreadable} bodies do not open with ENCRYPTION_KEYS and stay as they are")
    if not last.at_end:
        _say(f"stopped; go on with --after {last.place}" if last.place else "stopped; run this again")
    done = last.at_end and not last.unreadable and not (len(passes) > 1 and last.written)
    return 0 if done else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Reseals the store of the settings; 0 when all of it is under the first key, else 1 with the reason."""
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
