"""An answer's citations are checked, and what is wrong is said with the nearest that exists."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from shared.settings import Settings
from shared.tools.documentation.review import CitationReview
from tests.shared.documentation.corpus import PAGES


@pytest.fixture
def review(tmp_path: Path) -> CitationReview:
    for path, text in PAGES.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return CitationReview(Settings(docs_dir=tmp_path))


@pytest.mark.parametrize(
    "answer",
    [
        "Values stay (`guide/state.md#Saving values`), see guide/realtime.md#query-port.",
        "[There](/api/docs/raw/guide/state.md#all-keys).",
        "Your bot's `README.md#Usage` says how to run it.",
        "No citation at all.",
        "```\n`no.md#Words`\n```",
    ],
)
async def test_right_answers_are_left_alone(review: CitationReview, answer: str) -> None:
    assert await review.review(answer) is None


async def test_a_heading_that_does_not_exist_gets_the_nearest(review: CitationReview) -> None:
    note = await review.review("It stays (`guide/state.md#Saving value`, `guide/state.md#Saving value`).")
    assert note is not None
    assert note.count("\n") == 1
    assert "`guide/state.md#Saving value`: the page has no such heading" in note
    assert "the nearest is `guide/state.md#Saving values`" in note


async def test_a_page_that_does_not_exist_gets_the_nearest(review: CitationReview) -> None:
    note = await review.review("See `guide/stat.md#Saving values`.")
    assert note is not None
    assert "there is no such page; the nearest is `guide/state.md`" in note


async def test_a_note_is_short_whatever_is_wrong(review: CitationReview) -> None:
    answer = "\n".join(f"guide/state.md#{number} {'nothing like it ' * 50}" for number in range(30))
    note = await review.review(answer)
    assert note is not None
    assert len(note) < 800
    assert "and 16 more" in note


async def test_documentation_that_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    assert await CitationReview(Settings(docs_dir=tmp_path)).review("`guide/stat.md#Saving values`") is None


async def test_an_answer_without_citations_costs_next_to_nothing(review: CitationReview) -> None:
    answer = "A long answer about `main.py` and nothing else. " * 700
    started = time.process_time()
    for _ in range(100):
        assert await review.review(answer) is None
    assert (time.process_time() - started) / 100 < 0.005
