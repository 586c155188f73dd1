"""The page on MCP says what the code does: its examples parse, its names and limits are the code's."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from functions.tools.mcp_endpoint.resources import MOST_BYTES
from functions.tools.mcp_endpoint.tools import RESULT_TOKENS
from shared.web.body import MAX_JSON_BYTES
from tests.servers.agent import Agent


@pytest.fixture
def page(repository: Path) -> str:
    return (repository / "docs/mcp.md").read_text()


def test_the_configurations_parse_and_lead_to_the_endpoint(page: str) -> None:
    examples = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", page, re.S)]
    assert len(examples) == 4
    for example in examples:
        (servers,) = example.values()
        assert "http://localhost:8080/mcp" in json.dumps(servers["the0"])


def test_prompts_and_resources_are_those_that_are_served(page: str, agent: Agent) -> None:
    with agent.client(accept="application/json") as client:
        listed = client.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "prompts/list"}).json()
    for prompt in listed["result"]["prompts"]:
        names = [argument["name"] for argument in prompt["arguments"]]
        shown = re.search(rf"`{prompt['name']}\((.*?)\)`", page)
        assert shown is not None
        assert [name.strip(" ?") for name in shown[1].split(",")] == names


def test_the_limits_are_the_codes(page: str) -> None:
    assert RESULT_TOKENS == 2000
    assert "under 2,000 tokens" in page
    assert MOST_BYTES == MAX_JSON_BYTES == 1024 * 1024
    assert page.count("1 MiB") == 2
