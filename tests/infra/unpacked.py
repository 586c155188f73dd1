"""Functions started from an unpacked bundle: nothing of this repository or environment reaches them."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.servers.ports import free_port, wait_for

# Target -> its source in the upload: what GOOGLE_FUNCTION_SOURCE says in the cloud.
SOURCES = {
    "chat": "functions/chat/main.py",
    "tools": "functions/tools/main.py",
    "artifacts": "functions/artifacts/main.py",
    "events": "functions/events/main.py",
    "nats_bridge": "functions/events/nats_bridge.py",
}
_JAVASCRIPT = "const fs = require('fs');\neval('1 + 1');\nmodule.exports = { main: () => fs };\n"


@contextmanager
def started_by_command(root: Path, target: str, binaries: Path, folder: Path) -> Iterator[str]:
    """The function by the contract's command, from an empty folder; its URL when it answers."""
    port = free_port()
    address = ("--host", "127.0.0.1", "--port", str(port))
    words = ("--asgi", "--source", str(root / SOURCES[target]), "--target", target, *address)
    with _serving([str(binaries / "functions-framework"), *words], folder, {}, folder, port) as url:
        yield url


@contextmanager
def started_as_buildpack(root: Path, target: str, binaries: Path, folder: Path) -> Iterator[str]:
    """The function as the image that Google's buildpack makes starts it: bare, in the root of the upload."""
    port = free_port()
    variables = {
        "FUNCTION_TARGET": target,
        "FUNCTION_SOURCE": SOURCES[target],
        "FUNCTION_SIGNATURE_TYPE": "http",
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }
    with _serving([str(binaries / "functions-framework")], root, variables, folder, port) as url:
        yield url


@contextmanager
def _serving(
    command: list[str], cwd: Path, variables: dict[str, str], folder: Path, port: int
) -> Iterator[str]:
    folder.mkdir(parents=True, exist_ok=True)
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(folder.parent / "data"), **variables}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(f"{url}/health/live", process)
        except AssertionError as error:
            raise AssertionError((folder / "log").read_text()) from error
        yield url
    finally:
        process.terminate()
        process.wait(30)


def check_all(start: Callable[[str], Any]) -> None:
    """Starts the five functions at once on one database, and asks each for what it alone does."""
    with ExitStack() as stack:
        urls = {target: stack.enter_context(start(target)) for target in SOURCES}
        for target, url in urls.items():
            with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
                check(target, client)


def check(target: str, client: httpx.Client) -> None:
    """The function's health, and one thing that it alone does."""
    wait_until_healthy(client, without_nats=target == "nats_bridge")
    _CHECKS[target](client)


def wait_until_healthy(client: httpx.Client, *, without_nats: bool = False, seconds: float = 60) -> None:
    """Returns when all parts work: on a busy machine the first checks may take longer than they may.

    The bridge without NATS is never healthy: that it answers is enough.
    """
    deadline = time.monotonic() + seconds
    while (health := client.get("/health")).json()["status"] != "healthy" and not without_nats:
        assert time.monotonic() < deadline, health.text
        time.sleep(0.2)


def _chat(client: httpx.Client) -> None:
    answer = client.post("/chat", json={"message": "How do I deploy a bot?", "session_id": "s"})
    assert answer.status_code == 200
    assert [call["status"] for call in answer.json()["tool_calls"]] == ["ok"]


def _tools(client: httpx.Client) -> None:
    # By oxlint and oxc-parser of the upload's own node_modules.
    arguments = {"code": _JAVASCRIPT, "language": "javascript"}
    answer = client.post("/tools/analyze_code", json={"arguments": arguments}).json()
    assert answer["status"] == "ok", answer
    assert "eval" in str(answer["result"])


def _artifacts(client: httpx.Client) -> None:
    # Into the session that the chat function made: they share a database.
    place = "/artifacts/session/s/notes.md"
    put = client.put(place, json={"content": "# Notes"})
    assert put.status_code == 201, put.text
    assert client.get(place).json()["content"] == "# Notes"


def _events(client: httpx.Client) -> None:
    headers = {"ce-id": "1", "ce-source": "s", "ce-specversion": "1.0", "ce-type": "t"}
    taken = client.post("/", headers=headers, json={})
    assert (taken.status_code, taken.json()) == (200, {"status": "unknown_type"})


def _nats_bridge(client: httpx.Client) -> None:
    # There is no NATS here, and it says so.
    answer = client.post("/nats/pull")
    assert (answer.status_code, answer.json()["code"]) == (503, "broker_unavailable")


_CHECKS: dict[str, Callable[[httpx.Client], None]] = {
    "chat": _chat,
    "tools": _tools,
    "artifacts": _artifacts,
    "events": _events,
    "nats_bridge": _nats_bridge,
}
