"""Facts on the pages against the platform's schema and the templates: they stand, and a slip is seen."""

from __future__ import annotations

import pytest

from shared.tools.documentation.facts import platform_schema, wrong_facts
from shared.tools.documentation.library import SHIPPED_PAGES, FolderSource
from shared.tools.documentation.markdown import Page, parse_page

SOURCES = {path: text.decode() for path, text in FolderSource(SHIPPED_PAGES).sources().items()}


def pages(**changed: str) -> list[Page]:
    """The shipped pages, some with another text."""
    return [parse_page(path, text) for path, text in {**SOURCES, **changed}.items()]


def test_every_fact_stands() -> None:
    assert wrong_facts(pages()) == []


@pytest.mark.parametrize(
    ("path", "old", "new", "words"),
    [
        ("bot-config.md", "| `nodejs20` |", "| `nodejs22` |", "runtimes of bot-config.md"),
        ("overview.md", "| `rust-stable` |", "| `rust` |", "runtimes of overview.md"),
        ("bot-config.md", "`scheduled` or `realtime`", "`scheduled` or `hourly`", "hourly"),
        ("bot-config.md", "| `readme` | the", "| `read` | the", "readme"),
        ("bot-config.md", "| `metadata.tags` |", "| `labels.tags` |", "labels.tags"),
        ("bot-config.md", "3 to 50 characters", "3 to 60 characters", "3 to 60"),
        ("bot-config.md", "version `x.y.z`", "version `x.y`", "version 1.1"),
        ("bot-config.md", "name: sma-crossover", "name: SMA", "SMA"),
        ("bot-config.md", "type: realtime\n", "type: often\n", "often"),
        ("risk-and-live-trading.md", "`take_profit_pct`", "`profit_pct`", "profit_pct"),
        ("bot-types.md", "| `0 9 * * 1-5` |", "| `0 9 * * MON-FRI` |", "MON-FRI"),
        ("bot-types.md", '"type": "scheduled/dca-bot"', '"type": "dca-bot"', "dca-bot"),
        ("backtesting.md", "time,open,high,low,close", "date,open,high,low,close", "columns"),
        ("bot-schema.md", "| `boolean` |", "| `bool` |", "bool"),
        ("bot-schema.md", "draft-07/schema#", "draft-04/schema#", "draft"),
        ("bot-schema.md", '"type": "integer"', '"type": "int"', "no schema"),
        ("deployment.md", '"version": "1.0.0"', '"version": "v1"', "v1"),
    ],
)
def test_a_slip_on_a_page_is_seen(path: str, old: str, new: str, words: str) -> None:
    assert old in SOURCES[path]
    problems = wrong_facts(pages(**{path: SOURCES[path].replace(old, new)}))
    assert any(words in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("path", "heading"), [("bot-types.md", "## Cron schedules"), ("bot-config.md", "## Required fields")]
)
def test_a_table_that_has_moved_is_missed(path: str, heading: str) -> None:
    problems = wrong_facts(pages(**{path: SOURCES[path].replace(heading, "## Elsewhere")}))
    assert any("has no heading" in problem for problem in problems), problems


def test_a_change_of_the_platform_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = platform_schema()["properties"]
    monkeypatch.setitem(rules, "name", {**rules["name"], "maxLength": 40})
    monkeypatch.setitem(rules, "runtime", {"enum": [*rules["runtime"]["enum"], "go1.23"]})
    problems = "\n".join(wrong_facts(pages()))
    assert "go1.23" in problems
    assert "3 to 50 characters" in problems
    assert "disagree on the name" in problems
