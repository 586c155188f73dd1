"""The image's entry: which function, which command, what is wrong, and how it ends."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from infra.container import health
from infra.container.__main__ import USAGE, main
from infra.container.serve import main as serve
from infra.container.upkeep import main as upkeep
from infra.local.gateway import TARGETS
from tests.servers.agent import agent_server

_SECRET = "a-secret-of-this-test-that-is-long-enough"


def test_no_such_command_says_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert main(["serve"]) == 2
    finally:
        signal.signal(signal.SIGTERM, before)
    assert capsys.readouterr().err == USAGE
    assert all(target in USAGE for target in TARGETS)


def test_a_target_that_there_is_not_stops_the_start(capsys: pytest.CaptureFixture[str]) -> None:
    assert serve("chats") == 1
    assert "FUNCTION_TARGET: takes one of chat, tools, artifacts," in capsys.readouterr().err


def test_a_function_serves_is_healthy_and_ends_when_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    variables = {"AUTH_MODE": "jwt", "JWT_SECRET": _SECRET}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with agent_server(tmp_path, module="infra.container", FUNCTION_TARGET="artifacts", **variables) as agent:
        assert "artifacts serves" in agent.banner
        # A function alone has its own paths.
        assert httpx.get(f"{agent.url}/chat/sessions", trust_env=False).status_code == 404
        port = agent.url.rpartition(":")[2]
        monkeypatch.setenv("PORT", port)
        _wait_until(lambda: health.main() == 0)
        capsys.readouterr()
        # What a cron job does; it proves itself with the same secret.
        assert upkeep(["retention"]) == 0
        assert json.loads(capsys.readouterr().out)["complete"] is True
        monkeypatch.setenv("JWT_SECRET", _SECRET[::-1])
        assert upkeep(["retention", "--url", agent.url]) == 1
        said = capsys.readouterr().err
        assert "answered 401" in said
        assert _SECRET[::-1] not in said
        agent.process.send_signal(signal.SIGTERM)
        assert agent.process.wait(30) == 0
    assert health.main() == 1
    assert f"127.0.0.1:{port}" in capsys.readouterr().err
    assert upkeep(["retention"]) == 1
    assert capsys.readouterr().err


def test_upkeep_with_a_wrong_setting_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AUTH_MODE", "password")
    assert upkeep(["publish"]) == 1
    assert "AUTH_MODE" in capsys.readouterr().err


def _wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
