"""Start-up: from the command to the first answer of each function, as it is deployed."""

from __future__ import annotations

import compileall
import http.client
import time
from contextlib import suppress
from pathlib import Path

from bench.figures import Rounds, Row, Target
from bench.plan import Plan
from bench.processes import ROOT, START_SECONDS, Child, free_port, python
from bench.rig import AGENT, BARE

SECTION = "start-up of a function (functions-framework --asgi, bytecode compiled)"
TARGET = Target(most=1.0, of="s")
TARGETS = ("chat", "tools", "artifacts", "events")
_HELLO = ROOT / "bench" / "hello" / "main.py"
_PAUSE = 0.004


def measure(folder: Path, plan: Plan) -> list[Row]:
    """Rows for the first 200 of `/health/live` and of `/health`; the bare server only says hello.

    The database is migrated before, as in a deployment; each start is a new process on a new port.
    """
    for package in ("shared", "functions"):
        compileall.compile_dir(ROOT / package, quiet=2)
    folder.mkdir(parents=True)
    _migrate(folder)
    live = {target: Rounds() for target in TARGETS}
    ready = {target: Rounds() for target in TARGETS}
    for number in range(plan.start_ups):
        hello = _answered(folder / f"hello-{number}", "hello", _HELLO, ("/",), folder)[0]
        for target in TARGETS:
            source = ROOT / "functions" / target / "main.py"
            paths = ("/health/live", "/health")
            first, second = _answered(folder / f"{target}-{number}", target, source, paths, folder)
            for rounds, seconds in ((live[target], first), (ready[target], second)):
                rounds.add(AGENT, seconds)
                rounds.add(BARE, hello)
    rows: list[Row] = []
    for target in TARGETS:
        goal = TARGET if target == "chat" else None
        rows.append(live[target].row(SECTION, f"{target}: /health/live", "s"))
        rows.append(
            ready[target].row(
                SECTION, f"{target}: /health", "s", target=goal, judged=lambda rounds: rounds.medians()[AGENT]
            )
        )
    return rows


def _answered(
    home: Path, target: str, source: Path, paths: tuple[str, ...], folder: Path
) -> tuple[float, ...]:
    """Seconds from the start of the process to its first 200 at each path, asked in this order."""
    home.mkdir()
    port = free_port()
    command = (
        "functions-framework",
        "--asgi",
        f"--source={source}",
        f"--target={target}",
        "--host=127.0.0.1",
        f"--port={port}",
    )
    started = time.perf_counter()
    with Child(
        target,
        command,
        folder=home,
        DATA_DIR=str(folder / "data"),
        GEMINI_API_KEY="bench-key",
        GEMINI_BASE_URL="http://127.0.0.1:9",
    ) as child:
        return tuple(_first_answer(child, port, path) - started for path in paths)


def _first_answer(child: Child, port: int, path: str) -> float:
    deadline = time.monotonic() + START_SECONDS
    status = 0
    while time.monotonic() < deadline and child.process.poll() is None:
        with suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", path)
            status = connection.getresponse().status
            answered = time.perf_counter()
            connection.close()
            if status == 200:
                return answered
        time.sleep(_PAUSE)
    raise child.failure(f"did not answer 200 at {path} (last status {status})")


def _migrate(folder: Path) -> None:
    command = python("-m", "shared.sessions.migrate")
    with Child("migrate", command, folder=folder, DATA_DIR=str(folder / "data")) as child:
        if child.process.wait(START_SECONDS) != 0:
            raise child.failure("failed")
