"""The command `verify`: proves the bot in a folder and prints what was found.

Exit status: 0 verified, 1 verified with warnings, 2 rejected, 3 it could not be tried (wrong arguments, no
sandbox, nothing to read).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared.clock import utc_now
from shared.errors import AppError
from shared.one_parser import parse_one_at_a_time
from shared.verification.record import Verdict, Verification
from shared.verification.verify import Verified

STATUS: dict[Verdict, int] = {"verified": 0, "verified_with_warnings": 1, "rejected": 2}
NOT_TRIED = 3
_MOST_BYTES = 32 * 1024 * 1024
_MOST_FILES = 1_000
# What tools leave in a folder and no bot is made of.
_PASSED_OVER = ("__pycache__", ".git", ".venv", "venv", "node_modules", ".pytest_cache", ".mypy_cache")


def main(argv: Sequence[str]) -> int:
    """Runs the command; the exit status is told above."""
    options = _parser().parse_args(argv)
    parse_one_at_a_time()
    try:
        config = _config(options.config)
        files = _files(Path(options.folder))
        done = asyncio.run(_verify(files, config))
    except (AppError, OSError, ValueError) as error:
        print(error.message if isinstance(error, AppError) else str(error), file=sys.stderr)
        return NOT_TRIED
    if options.evidence is not None:
        _write(Path(options.evidence), done)
    if options.json:
        print(json.dumps(done.verification.form(), indent=2, ensure_ascii=False))
    else:
        _show(done.verification)
    return STATUS[done.verification.verdict]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="verify", description="Proves the bot in a folder.")
    parser.add_argument("folder", metavar="FOLDER", help="the bot's folder, with bot-config.yaml")
    parser.add_argument("--json", action="store_true", help="print the record as JSON")
    parser.add_argument("--config", metavar="JSON", help="parameters other than the schema's defaults")
    parser.add_argument("--evidence", metavar="DIR", help="write the record and the backtest's report there")
    return parser


def _config(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("--config takes a JSON object")
    return found


def _files(folder: Path) -> dict[str, bytes]:
    """The files below the folder by relative path; links are passed over."""
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder")
    found: dict[str, bytes] = {}
    left = _MOST_BYTES
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_symlink() or not path.is_file() or set(name.parts) & set(_PASSED_OVER):
            continue
        left -= path.stat().st_size
        if left < 0 or len(found) >= _MOST_FILES:
            raise ValueError(f"{folder} has over {_MOST_FILES} files or {_MOST_BYTES:,} bytes")
        found[name.as_posix()] = path.read_bytes()
    return found


async def _verify(files: dict[str, bytes], config: dict[str, Any] | None) -> Verified:
    from shared.sandbox.select import open_sandbox
    from shared.verification.select import open_verifier

    sandbox = open_sandbox()
    try:
        return await open_verifier(sandbox, clock=utc_now).verify(files, config=config)
    finally:
        await sandbox.close()


def _write(folder: Path, done: Verified) -> None:
    record = json.dumps(done.verification.form(), indent=2, ensure_ascii=False).encode()
    for name, content in {"verification.json": record, **done.evidence}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _show(verification: Verification) -> None:
    print(verification.verdict.replace("_", " "))
    for stage in verification.stages:
        print(f"\n{stage.name}: {stage.outcome.replace('_', ' ')}. {stage.summary}")
        for finding in stage.findings:
            print(f"  {finding.severity}: {finding.message} [{finding.rule}]")
            if finding.advice:
                print(f"    {finding.advice}")
    print(f"\nfiles {verification.artifacts_sha256}, isolation {verification.isolation}")
