"""Tools whose answers come from services outside, on the wire: the agent's process, local services."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from tests.servers.agent import Agent, agent_server
from tests.servers.documentation_service import DocumentationSite
from tests.servers.gemini import API_KEY, GeminiServer
from tests.servers.gemini_answers import grounded
from tests.servers.web_service import Said, web_service

PAGES = {"guide/state": "# State\n\nIt lasts.\n\n## Saving values\n\nCall `state.set`.\n"}


async def _ask(agent: Agent, method: str, path: str, **arguments: Any) -> httpx.Response:
    async with httpx.AsyncClient(base_url=agent.url, timeout=30, trust_env=False) as client:
        return await client.request(method, path, **arguments)


async def _call(agent: Agent, tool: str, **arguments: Any) -> Any:
    answer = await _ask(agent, "POST", f"/tools/{tool}", json={"arguments": arguments})
    assert answer.json()["status"] == "ok", answer.text
    return answer.json()["result"]


async def test_documentation_comes_from_the_platforms_service(tmp_path: Path) -> None:
    site = DocumentationSite(dict(PAGES))
    async with web_service(site) as server:
        with agent_server(tmp_path, DOCS_API_URL=server.url) as agent:
            found = (await _ask(agent, "GET", "/api/docs/search", params={"q": "lasts"})).json()
            assert set(found) == {"query", "results", "total_found"}
            assert set(found["results"][0]) == {"title", "heading", "path", "url", "content", "score"}
            assert found["results"][0]["path"] == "guide/state"
            raw = await _ask(agent, "GET", "/api/docs/raw/guide/state")
            assert raw.text == PAGES["guide/state"]
            missing = await _ask(agent, "GET", "/api/docs/raw/guide/nowhere")
            assert (missing.status_code, "guide/state" in missing.json()["detail"]) == (404, True)
            site.broken = Said(status=503)
            shipped = await _call(agent, "search_documentation", query="cron schedules")
            assert "may be older" in shipped["notice"]
            assert shipped["results"][0]["citation"].startswith("bot-types.md#")


async def test_the_web_is_searched_with_the_models_key(tmp_path: Path, gemini: GeminiServer) -> None:
    gemini.script(
        grounded("Fees fell.", sources=(("a.test", "https://a.test/1"),), supports=(("Fees fell.", (0,)),))
    )
    variables = {"GEMINI_API_KEY": API_KEY, "GEMINI_BASE_URL": gemini.url, "MODEL_PROVIDER": "offline"}
    with agent_server(tmp_path, **variables) as agent:
        catalogue = (await _ask(agent, "GET", "/tools")).json()
        assert "search_web" in [tool["name"] for tool in catalogue]
        found = await _call(agent, "search_web", query="exchange fees", recency="month")
    assert (found["summary"], found["results"][0]["title"]) == ("Fees fell. [1]", "a.test")


async def test_without_a_key_there_is_no_search(agent: Agent) -> None:
    catalogue = (await _ask(agent, "GET", "/tools")).json()
    assert "search_web" not in [tool["name"] for tool in catalogue]
    answer = await _ask(agent, "POST", "/tools/search_web", json={"arguments": {"query": "fees"}})
    assert (answer.status_code, answer.json()["code"]) == (404, "tool_not_found")
