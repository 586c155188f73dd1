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

from tests.servers.agent_process import (
    ROOT,
    AgentProcess,
    fork_process,
    fresh_process,
    run_command,
    run_fresh_command,
)

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
_ENDS = """
import atexit, sys, threading, time
atexit.register(print, "registered", file=sys.stderr)
threading.Thread(target=lambda: (time.sleep(0.05), print("thread", file=sys.stderr))).start()
print("out", end="")
{}
"""
_WAITS = "import signal\nprint('waits', flush=True)\nsignal.pause()\n"


def start(folder: Path, program: str, how: Callable[..., AgentProcess] = fork_process) -> AgentProcess:
    (folder / "probe.py").write_text(program)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LC_CTYPE": "C.UTF-8", "A": "é"}
    with (folder / "log").open("w") as log:
        return how("probe", folder, environment, log, "an argument", "é")


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


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("", 0),
        ("sys.exit()", 0),
        ("sys.exit(300)", 300 & 0xFF),
        ("sys.exit(-1)", 255),
        ("sys.exit('a reason')", 1),
        ("raise ValueError('no')", 1),
        ("raise KeyboardInterrupt", -signal.SIGINT),
    ],
)
def test_it_ends_as_a_fresh_one_does(end: str, status: int, tmp_path: Path) -> None:
    (tmp_path / "probe.py").write_text(_ENDS.format(end))
    forked, fresh = (
        how("probe", "a word", environment={"PATH": ""}, folder=tmp_path)
        for how in (run_command, run_fresh_command)
    )
    assert (forked.returncode, forked.stdout) == (fresh.returncode, fresh.stdout) == (status, b"out")
    # A trace has the frames that lead to the program.
    last = [done.stderr.splitlines()[-3:] for done in (forked, fresh)]
    assert last[0] == last[1]


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
