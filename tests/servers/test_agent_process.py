"""A process that the nursery forks is like one that was started afresh."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.servers.agent_process import ROOT, AgentProcess, fork_process, fresh_process

_TELLS = """
import json, os, random, signal, sys
from shared.ids import new_id
signals = (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)
handlers = {each.name: str(signal.getsignal(each)) for each in signals}
print(json.dumps({
    "name": __name__, "folder": os.getcwd(), "arguments": sys.argv, "path": sys.path, "handlers": handlers,
    "variables": dict(os.environ), "files": sorted(os.listdir("/proc/self/fd")), "input": sys.stdin.read(),
    "own": [new_id()[14:], random.random(), os.getpid()],
}))
print("told", file=sys.stderr)
sys.exit(3)
"""
_WAITS = "import signal\nprint('waits', flush=True)\nsignal.pause()\n"


def start(folder: Path, program: str, how: Callable[..., AgentProcess] = fork_process) -> AgentProcess:
    (folder / "probe.py").write_text(program)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LC_CTYPE": "C.UTF-8", "A": "é"}
    with (folder / "log").open("w") as log:
        return how("probe", folder, environment, log)


def told(folder: Path, how: Callable[..., AgentProcess]) -> dict[str, Any]:
    process = start(folder, _TELLS, how)
    assert process.stdout is not None
    found: dict[str, Any] = json.loads(process.stdout.read())
    process.stdout.close()
    assert process.wait(30) == 3
    assert (folder / "log").read_text() == "told\n"
    return found


def test_it_finds_what_a_fresh_one_finds_and_ids_of_its_own(tmp_path: Path) -> None:
    first, second, fresh = (told(tmp_path, how) for how in (fork_process, fork_process, fresh_process))
    own = [found.pop("own") for found in (first, second, fresh)]
    assert first == second == fresh
    assert all(len(set(each)) == 3 for each in zip(*own, strict=True))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_it_says_which_signal_ended_it(how: signal.Signals, tmp_path: Path) -> None:
    process = start(tmp_path, _WAITS)
    assert process.stdout is not None
    assert process.stdout.readline() == "waits\n"
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0)
    process.send_signal(how)
    assert process.wait(30) == process.poll() == -how
    process.kill()
    process.stdout.close()
