"""The command of the artifacts function, for operators: python -m functions.artifacts check.

It works on the stores of the settings, for all users, and asks for no credentials.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Sequence

import orjson

from shared.errors import AppError


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what was asked; 0 when all is well, 1 when it is not, with the reason, 2 for wrong arguments."""
    parser = argparse.ArgumentParser(prog="python -m functions.artifacts", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="reads every version and tells, a line each, whose bytes are not there")
    parser.parse_args(arguments)
    try:
        return asyncio.run(_check())
    except AppError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1


async def _check() -> int:
    from shared.artifacts.checking import check_versions
    from shared.resources import resources

    counts: Counter[str] = Counter()
    parts = resources()
    try:
        async for each in check_versions(files=await parts.store(), artifacts=await parts.artifacts()):
            counts[each.found] += 1
            if each.found == "bad":
                session = each.key.session
                _say(
                    {
                        "user_id": session.user_id,
                        "session_id": session.session_id,
                        "filename": each.key.filename,
                        "version": each.version,
                    }
                )
    finally:
        await parts.close()
    _say({name: counts[name] for name in ("good", "bad", "gone")})
    return 1 if counts["bad"] else 0


def _say(value: object) -> None:
    sys.stdout.write(orjson.dumps(value).decode() + "\n")


if __name__ == "__main__":
    sys.exit(main())
