"""Commands of the chat function, for operators: python -m functions.chat export | erase.

They work on the stores of the settings, for any user, and ask for no credentials.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from shared.errors import AppError

_SECONDS = 3600.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what was asked; 0 when it is done, 1 when it is not, with the reason, 2 for wrong arguments."""
    chosen = _parser().parse_args(arguments)
    try:
        return asyncio.run(_export(chosen) if chosen.command == "export" else _erase(chosen))
    except AppError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m functions.chat", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    export = commands.add_parser("export", help="a session, or all sessions of a user, as a zip")
    export.add_argument("--user", required=True)
    export.add_argument("--session", help="all sessions when left out")
    export.add_argument("--out", metavar="FILE", help="standard output when left out")
    erasing = commands.add_parser("erase", help="all that is kept of a user")
    erasing.add_argument("--user", required=True)
    what = erasing.add_mutually_exclusive_group(required=True)
    what.add_argument("--confirm", metavar="USER", help="the user's id once more")
    what.add_argument("--dry-run", action="store_true", help="count only")
    return parser


async def _export(chosen: argparse.Namespace) -> int:
    from functions.chat.account import open_export
    from shared.resources import resources

    try:
        export = await open_export(chosen.user)
        pieces = export.session(chosen.session) if chosen.session is not None else export.everything()
        if chosen.out is None:
            async for piece in pieces:
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
        else:
            await _written(pieces, Path(chosen.out))
    finally:
        await resources().close()
    return 0


async def _written(pieces: AsyncIterator[bytes], path: Path) -> None:
    """Writes the file whole or not at all; its owner alone may read it."""
    aside = path.with_name(f"{path.name}.part")
    try:
        # A file of a moment: nothing else runs in this process.
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: ASYNC230
            async for piece in pieces:
                file.write(piece)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


async def _erase(chosen: argparse.Namespace) -> int:
    if not chosen.dry_run and chosen.confirm != chosen.user:
        sys.stderr.write("--confirm: takes the user's id once more; nothing was erased\n")
        return 2
    from functions.chat.account import erase, report_wire
    from shared.resources import resources

    try:
        report = await erase(chosen.user, seconds=_SECONDS, dry=chosen.dry_run)
    finally:
        await resources().close()
    sys.stdout.write(json.dumps(report_wire(report)) + "\n")
    return 0 if report.complete and not report.held_sessions else 1


if __name__ == "__main__":
    sys.exit(main())
