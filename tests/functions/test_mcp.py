"""`POST /mcp` by the SDK's own client, under the newest revision and by the handshake of the older ones."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Literal

import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import (
    INVALID_PARAMS,
    BlobResourceContents,
    CallToolResult,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from functions.tools.mcp_endpoint.hints import HINTS
from functions.tools.mcp_endpoint.tokens import compact_json, tokens
from shared.keys import ArtifactKey, SessionKey
from shared.resources import Resources
from shared.settings import Settings
from tests.servers.agent import Agent

Mode = Literal["auto", "legacy"]


@pytest.fixture(params=["auto", "legacy"])
def mode(request: pytest.FixtureRequest) -> Mode:
    chosen: Mode = request.param
    return chosen


def connect(agent: Agent, mode: Mode) -> AbstractAsyncContextManager[Client]:
    return Client(f"{agent.url}/mcp", mode=mode)


@asynccontextmanager
async def connect_with(agent: Agent, mode: Mode, headers: dict[str, str]) -> AsyncIterator[Client]:
    async with httpx2.AsyncClient(headers=headers, timeout=60, trust_env=False) as http:
        async with Client(streamable_http_client(f"{agent.url}/mcp", http_client=http), mode=mode) as client:
            yield client


def text(result: CallToolResult) -> str:
    first = result.content[0]
    assert isinstance(first, TextContent)
    return first.text


def links(result: CallToolResult) -> list[str]:
    return [block.uri for block in result.content if isinstance(block, ResourceLink)]


def cost(result: CallToolResult) -> int:
    """What a client shows its model at most: every block, and the structured form as well."""
    shown = [block.model_dump(mode="json", exclude_none=True) for block in result.content]
    texts = [block.get("text") or compact_json(block) for block in shown]
    if result.structured_content is not None:
        texts.append(compact_json(result.structured_content))
    return sum(map(tokens, texts))


async def save_beside(agent: Agent, session: str, filename: str, data: bytes) -> None:
    """Saves bytes into the agent's own store, as no tool of this catalogue does."""
    parts = Resources(Settings(data_dir=agent.folder / "data"))
    try:
        key = ArtifactKey(session=SessionKey(user_id="default-user", session_id=session), filename=filename)
        await (await parts.artifacts()).save(key=key, data=data)
    finally:
        await parts.close()


@pytest.mark.parametrize(("mode", "version"), [("auto", "2026-07-28"), ("legacy", "2025-11-25")])
async def test_the_revision_is_negotiated(agent: Agent, mode: Mode, version: str) -> None:
    async with connect(agent, mode) as client:
        assert client.protocol_version == version
        assert client.server_info is not None
        assert client.server_info.name == "the0-agent"
        assert client.instructions is not None
        assert "session_id" in client.instructions
        capabilities = client.server_capabilities
        assert capabilities.tools is not None
        assert capabilities.resources is not None
        assert capabilities.prompts is not None


async def test_the_catalogue_is_the_platforms_with_titles_and_effects(agent: Agent, mode: Mode) -> None:
    with agent.client() as http:
        names = [tool["name"] for tool in http.get("/tools").json()]
    async with connect(agent, mode) as client:
        tools = (await client.list_tools()).tools
    assert [tool.name for tool in tools] == names
    for tool in tools:
        assert tool.name in HINTS
        assert tool.title
        assert tool.description
        assert tool.input_schema["type"] == "object"
        assert tool.output_schema is None
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint is not None
        assert tool.annotations.open_world_hint is not None
    effects = {tool.name: tool.annotations for tool in tools}
    assert effects["browse_web"] is not None
    assert effects["browse_web"].open_world_hint is True
    assert effects["save_artifact"] is not None
    assert effects["save_artifact"].read_only_hint is False
    assert effects["save_artifact"].destructive_hint is False
    assert effects["save_artifact"].idempotent_hint is True


async def test_session_tools_take_a_session_id_and_others_do_not(agent: Agent, mode: Mode) -> None:
    async with connect(agent, mode) as client:
        schemas = {tool.name: tool.input_schema for tool in (await client.list_tools()).tools}
    for name, schema in schemas.items():
        assert ("session_id" in schema["properties"]) is HINTS[name].session
        assert "session_id" not in schema.get("required", ())


async def test_all_schemas_together_cost_under_3000_tokens(agent: Agent) -> None:
    async with connect(agent, "legacy") as client:
        listed = await client.list_tools()
    wire = listed.model_dump(mode="json", by_alias=True, exclude_none=True)["tools"]
    assert 1000 < tokens(compact_json(wire)) < 3000


async def test_a_tool_is_called_and_answers_in_both_forms(agent: Agent, mode: Mode) -> None:
    session = uuid.uuid4().hex
    async with connect(agent, mode) as client:
        saved = await client.call_tool(
            "save_artifact", {"filename": "a.py", "content": "x = 1\n", "session_id": session}
        )
        assert not saved.is_error
        assert json.loads(text(saved)) == saved.structured_content
        assert saved.structured_content["version"] == 1
        listed = await client.call_tool("list_artifacts", {"session_id": session})
        assert "a.py" in text(listed)
    with agent.client() as http:
        assert http.get(f"/artifacts/session/{session}").json() == ["a.py"]


async def test_the_header_names_the_session_and_the_argument_comes_first(agent: Agent, mode: Mode) -> None:
    header, argument = uuid.uuid4().hex, uuid.uuid4().hex
    file = {"filename": "h.txt", "content": "by header"}
    async with connect_with(agent, mode, {"X-Session-Id": header}) as client:
        assert not (await client.call_tool("save_artifact", file)).is_error
        assert not (await client.call_tool("save_artifact", {**file, "session_id": argument})).is_error
        # A tool without a session is not disturbed by the header.
        assert not (await client.call_tool("list_documentation", {})).is_error
        uris = [resource.uri for resource in (await client.list_resources()).resources]
    assert uris[0] == f"artifact://{header}/h.txt"
    with agent.client() as http:
        assert http.get(f"/artifacts/session/{header}").json() == ["h.txt"]
        assert http.get(f"/artifacts/session/{argument}").json() == ["h.txt"]


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("save_artifact", {"filename": "a"}, "content"),
        ("save_artifact", {"filename": "a", "content": "b"}, "session_id"),
        ("save_artifact", {"filename": "a", "content": "b", "session_id": "a/b"}, "session_id"),
        ("save_artifact", {"filename": "a", "content": "b", "session_id": 7}, "session_id"),
        ("save_artifact", {"filename": "../a", "content": "b", "session_id": "s"}, "relative path"),
        ("read_artifact", {"filename": "none.py", "session_id": "s"}, "list_artifacts"),
        ("list_documentation", {"surprise": 1}, "surprise"),
        ("list_documentation", {"session_id": "s"}, "session_id"),
        ("search_documentation", {"query": " "}, "empty"),
        ("get_documentation", {"path": "nowhere.md"}, "nowhere.md"),
        ("browse_web", {"url": "http://127.0.0.1/"}, ""),
    ],
)
async def test_a_tool_that_fails_is_a_result_in_words(
    agent: Agent, mode: Mode, tool: str, arguments: dict[str, Any], says: str
) -> None:
    async with connect(agent, mode) as client:
        result = await client.call_tool(tool, arguments)
    assert result.is_error
    assert says in text(result)
    assert text(result)


async def test_an_unknown_tool_is_an_error_of_the_protocol(agent: Agent, mode: Mode) -> None:
    async with connect(agent, mode) as client:
        with pytest.raises(MCPError, match="there is no tool 'rm_rf'") as raised:
            await client.call_tool("rm_rf", {})
    assert raised.value.code == INVALID_PARAMS


async def test_a_result_of_either_shape_is_an_object(agent: Agent, mode: Mode) -> None:
    async with connect(agent, mode) as client:
        verdict = await client.call_tool("browse_web", {"url": "http://10.0.0.1/", "dry_run": True})
    assert not verdict.is_error
    assert verdict.structured_content["allowed"] is False


async def test_a_long_file_is_read_whole_by_stretches(agent: Agent, mode: Mode) -> None:
    session = uuid.uuid4().hex
    whole = "".join(
        f"{number}: größer als {number * 7919} 价格 “{'x' * (number % 50)}”\n" for number in range(400)
    )
    async with connect(agent, mode) as client:
        await client.call_tool(
            "save_artifact", {"filename": "long.txt", "content": whole, "session_id": session}
        )
        read, start, calls = "", 0, 0
        while start is not None:
            page = await client.call_tool(
                "read_artifact",
                {"filename": "long.txt", "session_id": session, "start": start, "max_chars": 20_000},
            )
            assert cost(page) < 2000
            value = json.loads(text(page))
            read += value["content"]
            start, calls = value["next_start"], calls + 1
            if start is not None:
                assert links(page) == [f"artifact://{session}/long.txt"]
            assert calls < 40
        assert read == whole
        resource = await client.read_resource(f"artifact://{session}/long.txt")
    assert isinstance(resource.contents[0], TextResourceContents)
    assert resource.contents[0].text == whole


async def test_every_result_costs_under_2000_tokens(agent: Agent) -> None:
    session = uuid.uuid4().hex
    bad = "".join(f"try:\n    x{n} = eval('{n}')\nexcept Exception:\n    pass\n" for n in range(200))
    calls: list[tuple[str, dict[str, Any]]] = [
        ("list_documentation", {}),
        ("search_documentation", {"query": "how do I deploy a bot", "limit": 20}),
        ("get_documentation", {"path": "bot-config.md"}),
        ("create_bot_template", {"strategy_type": "rsi_momentum", "session_id": session}),
        ("analyze_code", {"session_id": session}),
        ("analyze_code", {"code": bad, "filename": "bad.py"}),
        ("list_artifacts", {"session_id": session}),
        ("read_artifact", {"filename": "strategy.py", "session_id": session}),
    ]
    async with connect(agent, "auto") as client:
        for name, arguments in calls:
            result = await client.call_tool(name, arguments)
            assert not result.is_error, (name, text(result))
            assert cost(result) < 2000, name
            assert isinstance(json.loads(text(result)), dict)


async def test_what_was_cut_is_told(agent: Agent) -> None:
    async with connect(agent, "auto") as client:
        result = await client.call_tool("search_documentation", {"query": "bot", "limit": 20})
    notes = " ".join(block.text for block in result.content[1:] if isinstance(block, TextContent))
    assert "Cut to fit." in notes
    assert "characters" in notes
    # Marked as text from outside: a page may say what it likes.
    assert "comes from outside" in notes


async def test_documentation_pages_are_resources(agent: Agent, mode: Mode) -> None:
    async with connect(agent, mode) as client:
        listed = (await client.list_resources()).resources
        assert len(listed) >= 10
        assert all(resource.uri.startswith("docs://") for resource in listed)
        assert all(resource.mime_type == "text/markdown" for resource in listed)
        read = await client.read_resource(listed[0].uri)
        templates = (await client.list_resource_templates()).resource_templates
    with agent.client() as http:
        raw = http.get(f"/api/docs/raw/{listed[0].name}").text
    assert isinstance(read.contents[0], TextResourceContents)
    assert read.contents[0].text == raw
    assert {template.uri_template for template in templates} == {
        "docs://{+path}",
        "artifact://{session_id}/{+filename}",
    }


async def test_files_are_resources_text_or_bytes(agent: Agent, mode: Mode) -> None:
    session = f"S_{uuid.uuid4().hex}"
    with agent.client() as http:
        saved = http.post(
            "/tools/save_artifact",
            json={"session_id": session, "arguments": {"filename": "a b/ü?.md", "content": "# hi"}},
        )
        assert saved.json()["status"] == "ok"
    picture = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
    await save_beside(agent, session, "chart.png", picture)
    async with connect(agent, mode) as client:
        file = await client.read_resource(f"artifact://{session}/a%20b/%C3%BC%3F.md")
        assert isinstance(file.contents[0], TextResourceContents)
        assert (file.contents[0].text, file.contents[0].mime_type) == ("# hi", "text/markdown")
        image = await client.read_resource(f"artifact://{session}/chart.png")
    assert isinstance(image.contents[0], BlobResourceContents)
    assert image.contents[0].mime_type == "image/png"
    assert base64.b64decode(image.contents[0].blob) == picture


async def test_a_file_too_large_for_a_resource_says_how_to_read_it(agent: Agent) -> None:
    session = uuid.uuid4().hex
    with agent.client() as http:
        http.post("/tools/list_artifacts", json={"session_id": session})
    await save_beside(agent, session, "big.csv", b"1,2,3\n" * 200_000)
    async with connect(agent, "auto") as client:
        with pytest.raises(MCPError, match="read_artifact"):
            await client.read_resource(f"artifact://{session}/big.csv")


@pytest.mark.parametrize(
    "uri",
    [
        "docs://nowhere.md",
        "docs://../../etc/passwd",
        "artifact://no-such-session/a.py",
        "artifact://a%2Fb/a.py",
        "artifact://only-a-session",
        "file:///etc/passwd",
        "https://example.com/",
    ],
)
async def test_an_address_of_nothing_is_an_error(agent: Agent, mode: Mode, uri: str) -> None:
    async with connect(agent, mode) as client:
        with pytest.raises(MCPError) as raised:
            await client.read_resource(uri)
    assert raised.value.code == INVALID_PARAMS


async def test_a_wrong_cursor_is_an_error(agent: Agent, mode: Mode) -> None:
    async with connect(agent, mode) as client:
        with pytest.raises(MCPError, match="cursor"):
            await client.list_resources(cursor="next")
        assert (await client.list_resources(cursor="5000")).resources == []


async def test_two_prompts_with_arguments(agent: Agent, mode: Mode) -> None:
    async with connect(agent, mode) as client:
        prompts = {prompt.name: prompt for prompt in (await client.list_prompts()).prompts}
        assert set(prompts) == {"build_bot", "review_bot"}
        assert prompts["build_bot"].arguments is not None
        assert prompts["build_bot"].arguments[0].required is True
        built = await client.get_prompt("build_bot", {"idea": "grid on {ETH} at 100%"})
        reviewed = await client.get_prompt("review_bot", {"session_id": "s-1", "focus": "risk"})
    first, second = built.messages[0].content, reviewed.messages[0].content
    assert isinstance(first, TextContent)
    assert isinstance(second, TextContent)
    assert "grid on {ETH} at 100%" in first.text
    assert "session_id s-1, above all: risk" in second.text


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("deploy_bot", {}, "build_bot"),
        ("build_bot", {}, "idea"),
        ("build_bot", {"idea": "x", "colour": "red"}, "colour"),
        ("build_bot", {"idea": "x" * 2001}, "idea"),
        ("review_bot", {}, "session_id"),
        ("review_bot", {"session_id": "a b"}, "session_id"),
    ],
)
async def test_a_wrong_prompt_is_an_error_that_names_it(
    agent: Agent, mode: Mode, name: str, arguments: dict[str, str], says: str
) -> None:
    async with connect(agent, mode) as client:
        with pytest.raises(MCPError, match=says) as raised:
            await client.get_prompt(name, arguments)
    assert raised.value.code == INVALID_PARAMS
