"""What keeps MCP's prompts small: the token estimate, the cutting of results, the compact schemas."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.tools.mcp_endpoint.bounds import MOST_TOKENS, bounded
from functions.tools.mcp_endpoint.schemas import compact, with_session
from functions.tools.mcp_endpoint.tokens import compact_json, tokens
from functions.tools.mcp_endpoint.uris import artifact_names, artifact_uri, docs_path, docs_uri

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3000),
    lambda inner: st.lists(inner, max_size=40) | st.dictionaries(st.text(max_size=200), inner, max_size=20),
    max_leaves=40,
)


@pytest.mark.parametrize(
    ("text", "least"),
    [
        ("", 0),
        # A token for each common word, each mark that stands alone, each number's first three digits.
        ("the quick brown fox jumps over the lazy dog", 9),
        ('{"a":1,"b":[true,null]}', 7),
        ("67123.45,67124.46", 8),
        ("价格价格", 4),
        ("\U0001f600\U0001f600", 2),
        ("\ud800", 1),
    ],
)
def test_the_estimate_is_not_too_low(text: str, least: int) -> None:
    assert least <= tokens(text) <= 3 * least + 2


@settings(max_examples=150, deadline=None)
@given(JSON)
def test_every_value_is_cut_to_the_limit_and_told(value: Any) -> None:
    before = copy.deepcopy(value)
    cut = bounded(value)
    assert value == before
    assert tokens(compact_json(cut.value)) <= MOST_TOKENS
    assert (cut.value == value) is (cut.notes == ())
    assert sum(map(tokens, cut.notes)) < 400


@settings(max_examples=60, deadline=None)
@given(
    st.text(alphabet=st.sampled_from('ab1 \n"\\é价\U0001f600'), max_size=9000),
    st.integers(min_value=0, max_value=5000),
    st.lists(st.text(max_size=300), max_size=60),
)
def test_a_stretch_is_shortened_and_reading_on_loses_nothing(
    content: str, start: int, links: list[str]
) -> None:
    total = start + len(content)
    value = {"content": content, "start": start, "total_chars": total, "next_start": None, "links": links}
    cut = bounded(value)
    assert tokens(compact_json(cut.value)) <= MOST_TOKENS
    kept = cut.value["content"]
    assert content.startswith(kept)
    if cut.notes and len(kept) < len(content) and kept:
        assert cut.value["next_start"] == start + len(kept)
        assert any(f"start={start + len(kept)}" in note for note in cut.notes)


def test_a_stretch_with_marks_is_read_again_rather_than_skipped() -> None:
    content = "[mark]" * 10 + "word " * 4000
    value = {
        "content": content,
        "start": 100,
        "total_chars": 30_000,
        "next_start": 100 + len(content) - 60,
        "truncated": False,
    }
    cut = bounded(value)
    assert cut.value["next_start"] == 100 + len(cut.value["content"]) - 60
    assert cut.value["truncated"] is True


def test_lists_keep_their_first_entries_and_say_how_many_there_were() -> None:
    findings = [{"line": n, "advice": "do not " * 20} for n in range(300)]
    cut = bounded({"score": 12, "findings": findings})
    assert cut.value["score"] == 12
    assert 1 <= len(cut.value["findings"]) < 300
    assert cut.notes[0] == f"findings: {len(cut.value['findings'])} of 300 entries"


def test_a_schema_keeps_what_a_caller_needs() -> None:
    schema = {
        "additionalProperties": False,
        "properties": {
            "title": {"type": "string", "title": "Title", "maxLength": 5, "examples": ["a"]},
            "size": {
                "anyOf": [{"minimum": 1, "type": "integer", "maximum": 9}, {"type": "null"}],
                "default": None,
                "description": "how many",
            },
            "either": {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}], "default": None},
            "flag": {"type": "boolean", "default": False},
            "items": {"type": "array", "items": {"$ref": "#/$defs/Item"}, "minItems": 1},
            "lists": {
                "type": "string",
                "description": "by name (a wrong one is answered with all). " + "x, " * 99,
            },
            "free": {"type": "object", "additionalProperties": {"type": "string", "title": "X"}},
        },
        "$defs": {"Item": {"type": "object", "properties": {"examples": {"type": "string"}}}},
        "required": ["title"],
        "type": "object",
    }
    before = copy.deepcopy(schema)
    assert compact(schema) == {
        "properties": {
            "title": {"type": "string"},
            "size": {"type": "integer", "description": "how many"},
            "either": {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
            "flag": {"type": "boolean"},
            "items": {
                "type": "array",
                "items": {"type": "object", "properties": {"examples": {"type": "string"}}},
            },
            "lists": {"type": "string", "description": "by name (a wrong one is answered with all)"},
            "free": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        "required": ["title"],
        "type": "object",
    }
    assert schema == before
    assert "session_id" in with_session({"type": "object"})["properties"]


@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=80))
def test_addresses_come_back_as_the_names_they_were_made_of(name: str) -> None:
    assert artifact_names(artifact_uri("S_1-a", name)) == ("S_1-a", name)
    assert docs_path(docs_uri(name)) == name
    assert docs_path(artifact_uri("s", name)) is None
    assert artifact_names(docs_uri(name)) is None
    assert json.loads(compact_json(name)) == name
