"""Runs generated bots as their users do: in an environment that holds their requirements and nothing else."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

_INSTALL_SECONDS = 600.0
_RUN_SECONDS = 60.0
_TEST_SECONDS = 120.0


class BotRun(NamedTuple):
    """One run of a bot: `result` is the SDK's result file, None when the bot wrote none."""

    exit_code: int
    result: dict[str, Any] | None
    output: str
    errors: str


def bot_python(cache: Path, requirements: str) -> Path:
    """The interpreter of an environment with these requirements and pytest, made on first use.

    `cache` is a folder that outlives the test, for example `request.config.cache.mkdir("bots")`; each text of
    requirements has its own environment in it. Several processes may ask at once.
    """
    key = hashlib.sha256(f"{sys.version}\n{requirements}".encode()).hexdigest()[:16]
    folder = cache / key
    python, ready = folder / "bin" / "python", folder / "ready"
    with (cache / f"{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            listing = cache / f"{key}.txt"
            listing.write_text(requirements, encoding="utf-8")
            # Our pip installs into it: to install another first, and to compile what no bot imports, is half
            # of the work.
            _command([sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder)])
            pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-compile"]
            _command([*pip, "--quiet", "--disable-pip-version-check", "pytest", "-r", str(listing)])
            ready.touch()
    return python


def run_bot(
    folder: Path,
    config: dict[str, Any],
    *,
    python: Path | str = sys.executable,
    environment: dict[str, str] | None = None,
) -> BotRun:
    """Runs main.py as the platform's variables ask, from a working directory that is not the bot's."""
    result = folder / "result.json"
    result.unlink(missing_ok=True)
    done = subprocess.run(
        [str(python), str(folder / "main.py")],
        cwd="/",
        env={
            "PATH": os.environ["PATH"],
            "BOT_ID": "t",
            "BOT_CONFIG": json.dumps(config),
            "CODE_MOUNT_DIR": str(folder),
            **(environment or {}),
        },
        capture_output=True,
        text=True,
        timeout=_RUN_SECONDS,
        check=False,
    )
    written = json.loads(result.read_text(encoding="utf-8")) if result.exists() else None
    return BotRun(done.returncode, written, done.stdout, done.stderr)


def run_bot_tests(folder: Path, *, python: Path | str = sys.executable) -> tuple[int, str]:
    """Runs the bot's own tests in its folder; gives pytest's exit code and what it printed."""
    done = subprocess.run(
        [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_TEST_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout


def _command(command: list[str]) -> None:
    """Runs a step of the set-up; a failure shows what it printed."""
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_INSTALL_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{done.stdout}")
