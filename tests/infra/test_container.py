"""The image's entry: which function, which command, what is wrong, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from infra.container import health
from infra.container.__main__ import USAGE, main
from infra.local.gateway import TARGETS
from tests.servers.agent import ROOT, agent_server

_SECRET = "a-secret-of-this-test-that-is-long-enough"


def test_no_such_command_says_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert main(["serve"]) == 2
    finally:
        signal.signal(signal.SIGTERM, before)
    assert capsys.readouterr().err == USAGE
    assert all(target in USAGE for target in TARGETS)


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"FUNCTION_TARGET": "chats"}, "FUNCTION_TARGET: takes one of chat, tools, artifacts, events"),
        ({"FUNCTION_TARGET": "tools", "AUTH_MODE": "password"}, "AUTH_MODE"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_named(
    variables: dict[str, str], named: str, tmp_path: Path
) -> None:
    done = _run([], tmp_path, **variables)
    assert done.returncode == 1
    assert named in done.stderr
    assert "Traceback" not in done.stderr


def test_a_function_serves_is_healthy_and_ends_when_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    variables = {"FUNCTION_TARGET": "artifacts", "AUTH_MODE": "jwt", "JWT_SECRET": _SECRET}
    with agent_server(tmp_path, module="infra.container", **variables) as agent:
        assert "artifacts serves" in agent.banner
        # Each function alone has its own paths.
        assert httpx.get(f"{agent.url}/chat/sessions", trust_env=False).status_code == 404
        port = agent.url.rpartition(":")[2]
        monkeypatch.setenv("PORT", port)
        _wait_until(lambda: health.main() == 0)
        # What a cron job does; it proves itself with the same secret.
        done = _run(["upkeep", "retention", "--url", agent.url], tmp_path, **variables)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["complete"] is True
        done = _run(
            ["upkeep", "retention", "--url", agent.url],
            tmp_path,
            **{**variables, "JWT_SECRET": _SECRET[::-1]},
        )
        assert done.returncode == 1
        assert "answered 401" in done.stderr
        assert _SECRET[::-1] not in done.stderr
        agent.process.send_signal(signal.SIGTERM)
        assert agent.process.wait(30) == 0
    capsys.readouterr()
    assert health.main() == 1
    assert f"127.0.0.1:{port}" in capsys.readouterr().err


def test_migrate_brings_the_database_to_this_release(tmp_path: Path) -> None:
    done = _run(["migrate"], tmp_path, DATA_DIR=str(tmp_path / "data"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "data" / "agent.db").is_file()


def test_the_bridge_needs_to_know_between_what(tmp_path: Path) -> None:
    done = _run(["nats_bridge"], tmp_path)
    assert (done.returncode, "NATS_URL" in done.stderr) == (1, True)


def _run(arguments: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PORT": "0", **variables}
    return subprocess.run(
        [sys.executable, "-m", "infra.container", *arguments],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def _wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
