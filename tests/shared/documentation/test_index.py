"""Searching: exact words, slips, everyday words, and nothing where there is nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.tools.documentation import snapshot
from shared.tools.documentation.passage import passage
from tests.shared.documentation.corpus import small_index

INDEX = small_index()


def first(question: str) -> str:
    """The best section as path#heading, or nothing."""
    hits = INDEX.search(question)
    return f"{hits[0].page.path}#{hits[0].section.heading}" if hits else ""


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("THE0_QUERY_PORT", "guide/realtime.md#Query port"),
        ("minio.external.useSSL", "guide/realtime.md#Query port"),
        ("saving values state", "guide/state.md#Saving values"),
        ("delete one key", "guide/state.md#Removing values > One key"),
        ("postgres databse backpu", "operation/backup.md#Backup"),
        ("always-on algo", "guide/realtime.md#Realtime bots"),
        ("stop nagging me for approval", "guide/state.md#Removing values > All keys"),
    ],
)
def test_the_right_section_comes_first(question: str, expected: str) -> None:
    assert first(question) == expected


@pytest.mark.parametrize(
    "question",
    ["Kotlin bots", "refund my subscription", "", "???", "the of and", "日本語", "Grafana query port"],
)
def test_nothing_is_found_where_the_pages_say_nothing(question: str) -> None:
    assert INDEX.search(question) == []


def test_scores_fall_and_pages_take_turns() -> None:
    hits = INDEX.search("values state")
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert all(score > 0 for score in scores)
    assert {hit.page.path for hit in hits[:3]} == {"guide/state.md", "guide/realtime.md"}


def test_a_snapshot_gives_the_same_answers(tmp_path: Path) -> None:
    snapshot.write(tmp_path, INDEX, "mark")
    read = snapshot.read(tmp_path, "mark")
    assert read is not None
    for question in ("saving values", "databse backpu", "Kotlin"):
        assert [(hit.section, hit.score) for hit in read.search(question)] == [
            (hit.section, hit.score) for hit in INDEX.search(question)
        ]


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"signature": "mark"}', b"\xff\x00"])
def test_a_spoilt_snapshot_does_not_count(tmp_path: Path, content: bytes) -> None:
    (tmp_path / snapshot.NAME).write_bytes(content)
    assert snapshot.read(tmp_path, "mark") is None


def test_a_snapshot_of_something_else_does_not_count(tmp_path: Path) -> None:
    snapshot.write(tmp_path, INDEX, "mark")
    assert snapshot.read(tmp_path, "other") is None


def test_a_signature_changes_with_any_page() -> None:
    marks = {
        snapshot.signature(pages) for pages in ({"a": b"x"}, {"a": b"y"}, {"b": b"x"}, {"a": b"x", "b": b""})
    }
    assert len(marks) == 4


def test_a_passage_is_the_telling_block_and_keeps_within_its_limit() -> None:
    text = "\n\n".join([f"Paragraph {number} about nothing at all." for number in range(40)])
    text += "\n\nThe needle is here.\n\n" + "Tail words. " * 40
    shown = passage(text, {"needl"}, 200)
    assert "needle is here" in shown
    assert len(shown) < 220
    assert shown.startswith("…")


def test_a_passage_never_leaves_a_code_fence_open() -> None:
    code = "```python\n" + "\n\n".join(f"line_{number} = needle" for number in range(100)) + "\n```"
    assert passage(f"Intro.\n\n{code}", {"needl"}, 300).count("```") == 2


def test_a_short_text_is_its_own_passage() -> None:
    assert passage("  short\n", frozenset(), 100) == "short"
