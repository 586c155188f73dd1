"""The shipped pages: links resolve, facts stand, questions about them are answered."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bench.docs_search import measures
from shared.tools.documentation.library import SHIPPED_PAGES, FolderSource, build_index
from shared.tools.documentation.markdown import Page

SOURCES = FolderSource(SHIPPED_PAGES).sources()
INDEX = build_index(SOURCES)
PAGES = {page.path: page for page in INDEX.pages}
FACTS: dict[str, list[str]] = json.loads((Path(__file__).parent / "facts.json").read_text(encoding="utf-8"))
QUESTIONS = [
    json.loads(line)
    for line in (Path(__file__).resolve().parents[3] / "bench/data/docs-shipped-queries.jsonl")
    .read_text()
    .splitlines()
]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def links(page: Page) -> list[str]:
    """The targets of a page's links, outside code."""
    return LINK.findall(re.sub(r"```.*?```|`[^`\n]*`", "", page.body, flags=re.DOTALL))


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_every_link_leads_somewhere(page: Page) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = PAGES.get(path) if path else page
        assert target is not None, link
        assert not anchor or any(section.anchor == anchor for section in target.sections), link


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_every_page_can_be_cited(page: Page) -> None:
    assert page.title
    assert 20 <= len(page.description) <= 200
    assert [section.level for section in page.sections].count(1) == 1
    anchors = [section.anchor for section in page.sections]
    assert len(set(anchors)) == len(anchors)
    for section in page.sections:
        assert section.body, f"{page.path}#{section.heading} says nothing"
        assert page.find(section.heading) == section
        assert page.find(section.anchor) == section


@pytest.mark.parametrize("path", FACTS)
def test_facts_of_the_platform_stand_on_their_pages(path: str) -> None:
    missing = [fact for fact in FACTS[path] if fact not in PAGES[path].body]
    assert missing == []


def test_every_page_is_reached_from_another() -> None:
    reached = {link.partition("#")[0] for page in PAGES.values() for link in links(page)}
    assert set(PAGES) - reached <= {"overview.md", "glossary.md"}


def test_questions_about_the_pages_are_answered() -> None:
    gains: dict[str, list[float]] = {}
    for question in QUESTIONS:
        hits = INDEX.search(question["query"])[:10]
        if not question["answerable"]:
            assert hits == [], question["query"]
            continue
        ranked = list(dict.fromkeys(hit.page.path for hit in hits))
        relevant = {page["path"]: float(page["grade"]) for page in question["relevant"]}
        gains.setdefault(question["kind"], []).append(measures(ranked, relevant)["nDCG@10"])
    means = {kind: sum(values) / len(values) for kind, values in gains.items()}
    assert means["keyword"] >= 0.97
    assert means["natural"] >= 0.88
    assert means["misspelled"] >= 0.7
    assert means["paraphrase"] >= 0.5
