"""`python -m functions.events dead-letters list|show ID|replay [ID ...]`: events that were not applied."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Any

import orjson

from functions.events.dead_letters import letter_wire
from functions.events.desk import Desk
from functions.events.receiving import answer_of
from shared.errors import AppError
from shared.resources import Resources
from shared.sessions.inbound_port import DeadLetter
from shared.settings import read_settings

_PAGE = 200


async def run(arguments: argparse.Namespace) -> int:
    """Does what is asked; 0 unless a letter that was to be replayed waits still."""
    resources = Resources(read_settings())
    try:
        desk = Desk(resources, await resources.store())
        try:
            return await _done(desk, arguments)
        finally:
            await desk.close()
    finally:
        await resources.close()


async def _done(desk: Desk, arguments: argparse.Namespace) -> int:
    if arguments.what == "list":
        for letter in await _all(desk, arguments.limit):
            wire = letter_wire(letter)
            _say({name: wire[name] for name in ("id", "reason", "detail", "received_at", "type", "bot_id")})
        return 0
    if arguments.what == "show":
        _say(letter_wire(await desk.store.load_dead_letter(letter_id=arguments.id)))
        return 0
    letters = (
        [await desk.store.load_dead_letter(letter_id=each) for each in arguments.ids]
        if arguments.ids
        else await _all(desk, None)
    )
    left = 0
    # The oldest first, as they came.
    for letter in reversed(letters):
        left += await _replay(desk, letter)
    return 1 if left else 0


async def _replay(desk: Desk, letter: DeadLetter) -> bool:
    """Whether the letter waits still."""
    try:
        taken = await desk.replay(letter)
    except AppError as error:
        _say({"id": letter.letter_id, "status": error.code, "reason": error.message})
        return True
    _say({"id": letter.letter_id, **answer_of(taken)})
    return taken.letter is not None


async def _all(desk: Desk, limit: int | None) -> list[DeadLetter]:
    found: list[DeadLetter] = []
    cursor = None
    while limit is None or len(found) < limit:
        most = _PAGE if limit is None else min(_PAGE, limit - len(found))
        page = await desk.store.list_dead_letters(limit=most, cursor=cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    return found


def _say(value: Any) -> None:
    sys.stdout.write(orjson.dumps(value).decode() + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 with the reason when something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m functions.events", description=__doc__)
    record = parser.add_subparsers(required=True).add_parser("dead-letters", help="the dead-letter record")
    what = record.add_subparsers(dest="what", required=True)
    listing = what.add_parser("list", help="those that wait, newest first, a line each")
    listing.add_argument("--limit", type=int, default=50)
    what.add_parser("show", help="one with its payload").add_argument("id")
    replaying = what.add_parser("replay", help="apply these again, or all, the oldest first")
    replaying.add_argument("ids", nargs="*", metavar="id")
    try:
        return asyncio.run(run(parser.parse_args(arguments)))
    except AppError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
