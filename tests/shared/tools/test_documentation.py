"""The documentation tools as the runner calls them, and the search that a route serves."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shared.errors import InvalidRequestError, NotFoundError, UnavailableError
from shared.messages import ToolCall, ToolResult
from shared.settings import Settings
from shared.tools.documentation.search import PASSAGE_CHARS, find_page, search
from shared.tools.get_documentation import get_documentation
from shared.tools.list_documentation import list_documentation
from shared.tools.port import ToolServices
from shared.tools.runner import LocalToolRunner
from shared.tools.search_documentation import search_documentation
from tests.shared.documentation.corpus import PAGES

TOOLS = (search_documentation, list_documentation, get_documentation)


@pytest.fixture
def docs(tmp_path: Path) -> Settings:
    """Settings whose documentation is the small corpus."""
    for path, text in PAGES.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return Settings(docs_dir=tmp_path)


async def run(settings: Settings, name: str, **arguments: Any) -> ToolResult:
    """One call through the runner; these tools use nothing but the settings."""
    services = cast(ToolServices, SimpleNamespace(settings=settings))
    runner = LocalToolRunner(tools=TOOLS, services=services)
    return await runner.run(call=ToolCall(id="c1", name=name, arguments=arguments), session=None)


async def value(settings: Settings, name: str, **arguments: Any) -> Any:
    """The result of a call that must succeed."""
    result = await run(settings, name, **arguments)
    assert result.status == "ok", result.error
    return result.result


async def fault(settings: Settings, name: str, **arguments: Any) -> tuple[str, str]:
    """Code and message of a call that must fail."""
    result = await run(settings, name, **arguments)
    assert result.error is not None
    return result.error.code, result.error.message


async def test_search_gives_sections_with_their_addresses(docs: Settings) -> None:
    found = await value(docs, "search_documentation", query="  clear all   keys ", limit=2)
    assert found["query"] == "clear all keys"
    assert len(found["results"]) == 2 <= found["total_found"]
    best = found["results"][0]
    assert set(best) == {"title", "heading", "path", "citation", "url", "content", "score"}
    assert best["citation"] == "guide/state.md#Removing values > All keys"
    assert (best["path"], best["heading"]) == ("guide/state.md", "Removing values > All keys")
    assert best["url"] == "/guide/state#all-keys"
    assert "state clear" in best["content"]


async def test_search_in_the_shipped_pages_can_be_cited() -> None:
    found = await search(Settings(), "how do I keep data between runs", 5)
    assert found.results
    for result in found.results:
        page = await find_page(Settings(), result.path)
        assert page.find(result.heading) is not None
        assert result.url.startswith(f"/api/docs/raw/{result.path}#")
        assert len(result.content) <= PASSAGE_CHARS + 20


async def test_what_is_not_documented_has_no_results(docs: Settings) -> None:
    found = await value(docs, "search_documentation", query="Kotlin on Android")
    assert (found["results"], found["total_found"]) == ([], 0)


@pytest.mark.parametrize(
    ("query", "limit"), [("", 5), (" \n", 5), ("x" * 513, 5), ("state", 0), ("state", 51)]
)
async def test_search_refuses_wrong_requests(docs: Settings, query: str, limit: int) -> None:
    with pytest.raises(InvalidRequestError):
        await search(docs, query, limit)


async def test_the_tool_says_what_is_wrong_with_a_query(docs: Settings) -> None:
    code, message = await fault(docs, "search_documentation", query="  ")
    assert code == "invalid_arguments"
    assert "empty" in message
    code, message = await fault(docs, "search_documentation", query="x" * 600)
    assert code == "invalid_arguments"
    assert "query" in message


async def test_the_list_has_every_page_with_its_headings(docs: Settings) -> None:
    found = await value(docs, "list_documentation")
    assert [page["path"] for page in found["pages"]] == sorted(PAGES)
    assert found["pages"][1]["headings"] == ["Saving values", "Removing values"]
    assert found["headings_left_out"] is False


async def test_a_long_list_leaves_headings_out(tmp_path: Path) -> None:
    for number in range(60):
        sections = "".join(f"## Heading {part} of this page\n\nText.\n\n" for part in range(20))
        (tmp_path / f"page-{number}.md").write_text(f"# Page {number}\n\nText.\n\n{sections}")
    found = await value(Settings(docs_dir=tmp_path), "list_documentation")
    assert len(found["pages"]) == 60
    assert found["headings_left_out"] is True
    assert all(page["headings"] == [] for page in found["pages"])


async def test_a_page_is_read_whole_or_by_section(docs: Settings) -> None:
    whole = await value(docs, "get_documentation", path="guide/state.md")
    assert whole["content"].startswith("# State")
    assert (whole["citation"], whole["notice"]) == ("guide/state.md#State", None)
    assert whole["next_start"] is None
    assert whole["headings"][-1] == "Removing values > All keys"
    section = await value(docs, "get_documentation", path="guide/state.md", heading="Removing values")
    assert section["content"].startswith("## Removing values")
    assert "### All keys" in section["content"]
    cited = await value(docs, "get_documentation", path="guide/state.md#all-keys")
    assert cited["heading"] == "Removing values > All keys"


async def test_a_long_page_is_read_in_stretches_that_make_the_whole(tmp_path: Path) -> None:
    text = "# Long\n\n" + "\n".join(f"Line {number} of a long page." for number in range(1000))
    (tmp_path / "long.md").write_text(text)
    parts, start = [], 0
    while start is not None:
        part = await value(Settings(docs_dir=tmp_path), "get_documentation", path="long.md", start=start)
        assert len(part["content"]) <= 6000
        parts.append(part["content"])
        start = part["next_start"]
    assert "".join(parts) == text
    code, message = await fault(Settings(docs_dir=tmp_path), "get_documentation", path="long.md", start=10**6)
    assert code == "invalid_arguments"
    assert "past the end" in message


@pytest.mark.parametrize(
    "path", ["/guide/state.md", "guide/state", " guide/state.md ", "/api/docs/raw/guide/state.md"]
)
async def test_a_page_is_found_by_its_addresses(docs: Settings, path: str) -> None:
    assert (await find_page(docs, path)).path == "guide/state.md"


@pytest.mark.parametrize(
    "path",
    ["../../etc/passwd", "/etc/passwd", "guide/../guide/state.md", "guide\\state.md", "\x00", "", "guide/"],
)
async def test_no_path_leads_out_of_the_pages(docs: Settings, path: str) -> None:
    with pytest.raises(NotFoundError):
        await find_page(docs, path)


async def test_unknown_pages_and_headings_name_what_there_is(docs: Settings) -> None:
    code, message = await fault(docs, "get_documentation", path="guide/stat.md")
    assert code == "invalid_arguments"
    assert "guide/state.md" in message
    code, message = await fault(docs, "get_documentation", path="guide/state.md", heading="Saving valuables")
    assert code == "invalid_arguments"
    assert "Saving values" in message


async def test_missing_pages_are_told(tmp_path: Path) -> None:
    nowhere = Settings(docs_dir=tmp_path / "nowhere")
    with pytest.raises(UnavailableError):
        await search(nowhere, "state", 5)
    for name, arguments in (
        ("search_documentation", {"query": "state"}),
        ("list_documentation", {}),
        ("get_documentation", {"path": "a.md"}),
    ):
        code, message = await fault(nowhere, name, **arguments)
        assert code == "tool_failed"
        assert "without the documentation" in message


async def test_results_fit_a_prompt() -> None:
    listed = await run(Settings(), "list_documentation")
    found = await run(Settings(), "search_documentation", query="deploy a bot")
    assert len(str(listed.result)) < 12_000
    assert len(str(found.result)) < 6_000
