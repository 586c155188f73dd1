"""Citations in a text, and that those of the offline planner's answers all exist."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shared.messages import Message, TextPart, ToolCall
from shared.model.offline import OfflineModel
from shared.model.port import ModelRequest
from shared.settings import Settings
from shared.tools.documentation.citations import cite, find_citations, wrong_citations
from shared.tools.documentation.library import SHIPPED_PAGES, FolderSource, build_index
from shared.tools.documentation.markdown import parse_page
from shared.tools.get_documentation import get_documentation
from shared.tools.list_documentation import list_documentation
from shared.tools.port import ToolServices
from shared.tools.runner import LocalToolRunner
from shared.tools.search_documentation import search_documentation
from tests.shared.documentation.corpus import PAGES

SMALL = [parse_page(path, text) for path, text in PAGES.items()]
SHIPPED = build_index(FolderSource(SHIPPED_PAGES).sources()).pages
QUERIES = Path(__file__).resolve().parents[3] / "bench" / "data"
QUESTIONS = [
    json.loads(line)
    for name in ("docs-shipped-queries.jsonl", "docs-second-queries.jsonl")
    for line in (QUERIES / name).read_text(encoding="utf-8").splitlines()
]


def test_every_form_of_citation_is_found() -> None:
    text = (
        "See `guide/state.md#Removing values > All keys` and [this](/api/docs/raw/guide/state.md#all-keys), "
        "or guide/realtime.md#query-port.\n"
        "`README.md` and guide/state.md are no citations, nor is https://a.test/b.md#c.\n"
        "> quoted `no.md#Words`\n"
        "```\n`no.md#Words`\n```\n"
    )
    assert [(str(c), c.bare) for c in find_citations(text)] == [
        ("guide/state.md#Removing values > All keys", False),
        ("guide/state.md#all-keys", False),
        ("guide/realtime.md#query-port.", True),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "`guide/state.md#Saving values`",
        "`guide/state.md#All keys`",
        "(guide/state.md#Removing values > All keys): gone",
        "guide/state.md#Saving values, then restart",
        "guide/realtime.md#query-port.",
        "[it](guide/state.md#all-keys)",
        "no citation at all",
    ],
)
def test_what_exists_is_right(text: str) -> None:
    assert wrong_citations(text, SMALL) == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("`guide/stat.md#Saving values`", "there is no page guide/stat.md"),
        ("`guide/state.md#Saving`", "no such heading"),
        ("guide/state.md#Saving valuesX", "no such heading"),
        ("guide/realtime.md#query-ports", "no such heading"),
        ("[it](guide/state.md#nothing)", "no such heading"),
        ("Fine: `guide/state.md#All keys`. Not: `guide/state.md#None`.", "guide/state.md#None"),
    ],
)
def test_what_does_not_exist_is_named(text: str, problem: str) -> None:
    problems = wrong_citations(text, SMALL)
    assert len(problems) == 1
    assert problem in problems[0]


def test_every_section_can_be_cited_as_search_gives_it() -> None:
    for page in SHIPPED:
        for section in page.sections:
            citation = cite(page.path, section.heading)
            assert wrong_citations(f"As `{citation}` says, and {citation} too.", SHIPPED) == ()


async def test_every_citation_of_the_offline_planner_exists() -> None:
    services = cast(ToolServices, SimpleNamespace(settings=Settings()))
    runner = LocalToolRunner(
        tools=(search_documentation, list_documentation, get_documentation), services=services
    )
    cited = 0
    for question in QUESTIONS:
        said = await _answer(runner, f"What does the documentation say: {question['query']}?")
        assert wrong_citations(said, SHIPPED) == (), question["query"]
        cited += bool(find_citations(said))
    assert cited >= 0.7 * len(QUESTIONS)


async def _answer(runner: LocalToolRunner, text: str) -> str:
    """The planner's last words of a turn, its tools run for real."""
    messages = [Message(role="user", parts=(TextPart(text=text),))]
    for _ in range(5):
        parts: list[Any] = []
        request = ModelRequest(
            model="",
            system="",
            messages=tuple(messages),
            tools=await runner.catalogue(),
        )
        async for chunk in OfflineModel().stream(request):
            if isinstance(chunk, (TextPart, ToolCall)):
                parts.append(chunk)
        calls = [part for part in parts if isinstance(part, ToolCall)]
        if not calls:
            return "".join(part.text for part in parts)
        messages.append(Message(role="assistant", parts=tuple(parts)))
        results = [await runner.run(call=call, session=None) for call in calls]
        messages.append(Message(role="tool", parts=tuple(results)))
    raise AssertionError("the planner does not come to an end")
