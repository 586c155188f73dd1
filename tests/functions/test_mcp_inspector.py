"""The reference inspector's command line against `/mcp`, as a developer of assistants would use it."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from pathlib import Path
from typing import Any

from tests.servers.agent import Agent


def inspect(repository: Path, agent: Agent, *arguments: str) -> Any:
    """What the inspector prints for a method, as JSON."""
    assert (repository / "node_modules/@modelcontextprotocol/inspector").is_dir(), "run: make setup"
    command = ["npx", "--no-install", "@modelcontextprotocol/inspector", "--cli", f"{agent.url}/mcp"]
    run = subprocess.run(
        [*command, "--transport", "http", *arguments],
        cwd=repository,
        env={"PATH": os.environ["PATH"], "HOME": str(agent.folder)},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_the_inspector_lists_the_tools(repository: Path, agent: Agent) -> None:
    listed = inspect(repository, agent, "--method", "tools/list")["tools"]
    with agent.client() as client:
        assert [tool["name"] for tool in listed] == [tool["name"] for tool in client.get("/tools").json()]
    assert all(tool["annotations"].keys() >= {"readOnlyHint", "destructiveHint"} for tool in listed)


def test_the_inspector_calls_a_tool(repository: Path, agent: Agent) -> None:
    session = uuid.uuid4().hex
    called = inspect(
        repository,
        agent,
        "--method",
        "tools/call",
        "--tool-name",
        "save_artifact",
        "--tool-arg",
        "filename=a.py",
        "content=x",
        f"session_id={session}",
    )
    assert called["structuredContent"]["outcome"] == "created"
    with agent.client() as client:
        assert client.get(f"/artifacts/session/{session}").json() == ["a.py"]


def test_the_inspector_reads_resources_and_prompts(repository: Path, agent: Agent) -> None:
    listed = inspect(repository, agent, "--method", "resources/list")["resources"]
    read = inspect(repository, agent, "--method", "resources/read", "--uri", listed[0]["uri"])
    assert read["contents"][0]["text"].strip()
    prompt = inspect(
        repository,
        agent,
        "--method",
        "prompts/get",
        "--prompt-name",
        "build_bot",
        "--prompt-args",
        "idea=a grid on ETH",
    )
    assert "a grid on ETH" in prompt["messages"][0]["content"]["text"]
