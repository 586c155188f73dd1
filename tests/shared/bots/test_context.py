"""What a session's context shows of facts, whatever their events say of themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.bots.context import MOST_BOTS, derived_context
from shared.bots.facts import Fact, event_key

START = datetime(2026, 11, 2, 8, tzinfo=UTC)


def fact(kind: str, seconds: int, *, bot_id: str = "b-1", **value: Any) -> Fact:
    types = {"created": "the0.bot.created", "failed": "bot.execution.failed"}
    return Fact(
        bot_id=bot_id,
        kind=kind,
        time=START + timedelta(seconds=seconds),
        event_key=f"{kind} {seconds}",
        event_type=types.get(kind, kind),
        value=value,
    )


def test_an_event_cannot_say_another_time_bot_or_status_than_its_own() -> None:
    lies = {"time": "2030-01-01T00:00:00Z", "bot_id": "other", "status": "completed"}
    facts = [replace(fact(kind, number), value=lies) for number, kind in ((1, "failed"), (2, "backtest"))]
    shown = derived_context(facts)
    assert shown["recent_execution"] == {
        "bot_id": "b-1",
        "time": "2026-11-02T08:00:01Z",
        "status": "failed",
    }
    assert shown["recent_backtest"] == {
        "bot_id": "b-1",
        "time": "2026-11-02T08:00:02Z",
        "status": "completed",
    }


def test_a_long_error_is_shown_by_its_beginning() -> None:
    shown = derived_context([fact("failed", 1, error="x" * 5000)])
    assert len(shown["bots"]["b-1"]["last_error"]["text"]) == 500


def test_the_bots_last_heard_of_are_shown() -> None:
    facts = [fact("created", number, bot_id=f"b-{number}") for number in range(MOST_BOTS + 5)]
    assert list(derived_context(facts)["bots"]) == [f"b-{number}" for number in range(MOST_BOTS + 4, 4, -1)]


def test_facts_of_the_session_alone_are_no_bot() -> None:
    shown = derived_context([fact("backtest", 1, bot_id="", period="90d")])
    assert shown == {
        "recent_backtest": {"time": "2026-11-02T08:00:01Z", "period": "90d"},
        "told_by": {"recent_backtest": {"time": "2026-11-02T08:00:01Z", "type": "backtest"}},
    }
    assert derived_context([]) == {}


def test_source_and_id_are_told_apart() -> None:
    assert event_key("ab", "c") != event_key("a", "bc")
    assert event_key("\ud800", "c") == event_key("\ud800", "c")
