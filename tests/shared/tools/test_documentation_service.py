"""The documentation tools over the platform's service, and over the shipped pages when it is gone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shared.errors import NotFoundError
from shared.messages import ToolCall, ToolResult
from shared.settings import Settings
from shared.tools.documentation import consult
from shared.tools.get_documentation import get_documentation
from shared.tools.list_documentation import list_documentation
from shared.tools.port import ToolServices
from shared.tools.runner import LocalToolRunner
from shared.tools.search_documentation import search_documentation
from tests.servers.documentation_service import DocumentationSite
from tests.servers.web_service import Said, WebService, web_service

TOOLS = (search_documentation, list_documentation, get_documentation)
PAGES = {"guide/state": "# State\n\nIt lasts.\n\n## Saving values\n\nCall `state.set`.\n"}


@pytest.fixture
async def server() -> AsyncIterator[WebService]:
    """The platform's service."""
    async with web_service(DocumentationSite(dict(PAGES))) as service:
        yield service


@pytest.fixture
async def gone() -> AsyncIterator[WebService]:
    """A service that is broken."""
    async with web_service(lambda _: Said(status=503)) as service:
        yield service


async def run(server: WebService, name: str, **arguments: Any) -> ToolResult:
    """One call through the runner."""
    services = cast(ToolServices, SimpleNamespace(settings=Settings(docs_api_url=server.url)))
    runner = LocalToolRunner(tools=TOOLS, services=services)
    return await runner.run(call=ToolCall(id="c1", name=name, arguments=arguments), session=None)


async def value(server: WebService, name: str, **arguments: Any) -> Any:
    """The result of a call that must succeed."""
    result = await run(server, name, **arguments)
    assert result.status == "ok", result.error
    return result.result


async def test_the_service_answers_all_three_tools(server: WebService) -> None:
    found = await value(server, "search_documentation", query="lasts")
    assert found["notice"] is None
    assert found["results"][0]["citation"] == "guide/state#Saving values"
    listed = await value(server, "list_documentation")
    assert [page["path"] for page in listed["pages"]] == ["guide/state"]
    assert (listed["headings_left_out"], listed["notice"]) == (True, None)
    page = await value(server, "get_documentation", path=found["results"][0]["citation"])
    assert page["content"].startswith("## Saving values")
    assert (page["citation"], page["notice"]) == ("guide/state#Saving values", None)


async def test_without_the_service_the_shipped_pages_answer_and_say_so(gone: WebService) -> None:
    found = await value(gone, "search_documentation", query="cron schedules")
    assert found["results"][0]["path"] == "bot-types.md"
    listed = await value(gone, "list_documentation")
    assert "bot-types.md" in [page["path"] for page in listed["pages"]]
    page = await value(gone, "get_documentation", path="bot-types.md")
    for result in (found, listed, page):
        assert "may be older" in result["notice"]
    assert len(gone.asked) == 1, "a service that does not answer is left alone for a while"


async def test_a_page_that_only_the_service_has_is_missed_with_the_reason(gone: WebService) -> None:
    with pytest.raises(NotFoundError, match="may be older"):
        await consult.find_page(Settings(docs_api_url=gone.url), "guide/nowhere")
    result = await run(gone, "get_documentation", path="guide/nowhere")
    assert result.error is not None
    assert (result.error.code, "may be older" in result.error.message) == ("invalid_arguments", True)


async def test_wrong_requests_are_refused_before_the_service_is_asked(server: WebService) -> None:
    result = await run(server, "search_documentation", query="  ")
    assert result.error is not None
    assert result.error.code == "invalid_arguments"
    assert server.asked == []
