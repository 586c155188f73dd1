"""Commands of the artifacts function, for operators: python -m functions.artifacts check | retention.

They work on the stores of the settings and ask for no credentials.
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
    keeping = commands.add_parser(
        "retention", help="removes what is over its time, as the scheduler's call does"
    )
    keeping.add_argument("--seconds", type=float, default=1500.0, help="how long it may take")
    keeping.add_argument("--dry-run", action="store_true", help="count only")
    chosen = parser.parse_args(arguments)
    work = _check() if chosen.command == "check" else _retain(chosen.seconds, dry=chosen.dry_run)
    try:
        return asyncio.run(work)
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


async def _retain(seconds: float, *, dry: bool) -> int:
    from dataclasses import asdict

    from functions.artifacts.retention import open_retention
    from shared.resources import resources

    try:
        report = await (await open_retention()).run(seconds=seconds, dry=dry)
    finally:
        await resources().close()
    _say(asdict(report))
    return 0 if report.complete else 1


def _say(value: object) -> None:
    sys.stdout.write(orjson.dumps(value).decode() + "\n")


if __name__ == "__main__":
    sys.exit(main())
