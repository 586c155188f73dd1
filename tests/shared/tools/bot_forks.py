"""Runs many generated bots and their tests from one warm process, each in a fork of its own.

    python bot_forks.py [--no-tests] FOLDER...

Prints one line of JSON a folder: what main.py did with sample.csv, and what the bot's tests said.
"""

from __future__ import annotations

import contextlib
import csv
import decimal
import io
import json
import os
import runpy
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

# The platform's SDK ships no types.
import the0  # type: ignore[import-untyped]

# Loaded before the forks, so that no fork pays for them.
WARM = (csv, decimal, the0)


def main(folders: list[str], *, with_tests: bool) -> None:
    """Runs each folder's bot, then its tests unless they are not wanted."""
    for name in folders:
        folder = Path(name)
        run_code, _ = in_fork(run_main, folder)
        test_code, output = in_fork(run_tests, folder) if with_tests else (None, "")
        result = folder / "result.json"
        line = {
            "folder": name,
            "run": run_code,
            "result": json.loads(result.read_text()) if result.exists() else None,
            "tests": test_code,
            "output": output,
        }
        print(json.dumps(line), flush=True)


def in_fork(work: Callable[[Path], int], folder: Path) -> tuple[int, str]:
    """The work's exit code and what it printed."""
    with tempfile.TemporaryFile("w+") as captured:
        child = os.fork()
        if child == 0:
            os.dup2(captured.fileno(), 1)
            os.dup2(captured.fileno(), 2)
            code = 99
            # The child must end here whatever happens, or it would go on with the parent's loop.
            try:
                code = work(folder)
            except SystemExit as ended:
                code = int(ended.code or 0)
            finally:
                sys.stdout.flush()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        captured.seek(0)
        return os.waitstatus_to_exitcode(status), captured.read()


def run_main(folder: Path) -> int:
    """Runs main.py on sample.csv as the platform's variables ask, from another working directory."""
    os.chdir("/")
    os.environ.update(
        BOT_ID="t",
        BOT_CONFIG='{"data_source": "sample.csv"}',
        CODE_MOUNT_DIR=str(folder),
        STATE_DIR="/proc/none",
    )
    sys.path.insert(0, str(folder))
    with contextlib.redirect_stdout(io.StringIO()):
        runpy.run_path(str(folder / "main.py"), run_name="__main__")
    return 0


def run_tests(folder: Path) -> int:
    """Runs the bot's tests."""
    os.chdir(folder)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return int(pytest.main(["-q", "-p", "no:cacheprovider", "--assert=plain", "--rootdir", str(folder)]))


if __name__ == "__main__":
    main([name for name in sys.argv[1:] if name != "--no-tests"], with_tests="--no-tests" not in sys.argv)
