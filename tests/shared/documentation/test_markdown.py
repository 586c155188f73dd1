"""Pages cut at their headings."""

from __future__ import annotations

import pytest

from shared.tools.documentation.markdown import parse_page, slug, split_code
from tests.shared.documentation.corpus import PAGES

STATE = parse_page("guide/state.md", PAGES["guide/state.md"])


def test_front_matter_gives_title_and_description() -> None:
    assert (STATE.title, STATE.description) == ("State", "What a bot keeps")
    assert STATE.body.startswith("# State")


def test_headings_are_the_way_down_without_the_title_and_not_those_in_code() -> None:
    assert [section.heading for section in STATE.sections] == [
        "State",
        "Saving values",
        "Removing values",
        "Removing values > One key",
        "Removing values > All keys",
    ]


def test_a_page_without_front_matter_is_named_by_its_first_heading() -> None:
    page = parse_page("x.md", "Some words.\n\n# Real title\n\nText.\n")
    assert page.title == "Real title"
    assert [section.heading for section in page.sections] == ["x.md", "Real title"]


@pytest.mark.parametrize(
    "source", ["", "---\ntitle: [unclosed\n---\n# T\n", "---\n- a list\n---\nwords", "```\n# open"]
)
def test_odd_sources_still_make_a_page(source: str) -> None:
    page = parse_page("odd.md", source)
    assert page.sections
    assert page.title


def test_the_same_heading_twice_has_two_anchors() -> None:
    page = parse_page("x.md", "# T\n## A b\n## A b\n")
    assert [section.anchor for section in page.sections] == ["t", "a-b", "a-b-1"]


@pytest.mark.parametrize(
    "name", ["all-keys", "#all-keys", "All keys", "removing values > all keys", "ALL KEYS"]
)
def test_a_section_is_found_by_any_of_its_names(name: str) -> None:
    section = STATE.find(name)
    assert section is not None
    assert section.heading == "Removing values > All keys"


def test_an_unknown_section_is_none() -> None:
    assert STATE.find("nothing of the kind") is None


def test_a_section_is_read_with_what_is_below_it() -> None:
    section = STATE.find("Removing values")
    assert section is not None
    text = STATE.under(section)
    assert text.startswith("## Removing values")
    assert "### All keys" in text
    assert "Saving values" not in text
    assert section.body == ""


def test_code_is_kept_apart_from_prose() -> None:
    section = STATE.find("Saving values")
    assert section is not None
    prose, code = split_code(section.text)
    assert "written at once" in prose
    assert "trades" not in prose
    assert "trades" in code


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("bot-config.yaml", "bot-configyaml"),
        ("Enable / Disable", "enable-disable"),
        ("`metric()` at work", "metric-at-work"),
    ],
)
def test_anchors(heading: str, anchor: str) -> None:
    assert slug(heading) == anchor
