"""Subjects: what they stand for, and whether two of them can be taken by two streams."""

from __future__ import annotations

import pytest

from shared.events.bridge.subjects import RUNS, bot_of_log, is_log, overlap, type_of, uncaught, wanted_of

PLATFORM_STREAM = (
    "the0.bot.created",
    "the0.bot.updated",
    "the0.bot.deleted",
    "the0.bot-schedule.created",
    "the0.bot-schedule.updated",
    "the0.bot-schedule.deleted",
)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a.b", "a.b", True),
        ("a.b", "a.c", False),
        ("a.*", "a.b", True),
        ("a.*", "a.b.c", False),
        ("a.>", "a.b.c", True),
        ("a.>", "a", False),
        ("*.b", "a.*", True),
        ("*.b", "a.c", False),
        (">", "a.b", True),
        ("the0.bot.*", "the0.bot.logs.>", False),
        ("the0.bot.>", "the0.bot.logs.>", True),
    ],
)
def test_overlap(one: str, other: str, expected: bool) -> None:
    assert overlap(one, other) is expected
    assert overlap(other, one) is expected


def test_of_the_platforms_streams_all_is_wanted() -> None:
    assert wanted_of(PLATFORM_STREAM) == ("the0.bot.*", "the0.bot-schedule.*")
    assert wanted_of(("the0.bot.logs.>",)) == ("the0.bot.logs.>",)
    assert wanted_of(("custom-bot.submitted", "ai.agent.events")) == ()


def test_what_others_take_is_not_caught_and_the_platforms_never_is() -> None:
    assert uncaught(PLATFORM_STREAM) == RUNS
    assert uncaught(()) == RUNS
    assert uncaught(("bot.execution.>",)) == ("backtest.completed",)
    assert uncaught((">",)) == ()


def test_types_and_bots() -> None:
    assert type_of("the0.bot.logs.b-1") == "the0.bot.log"
    assert type_of("the0.bot.created") == "the0.bot.created"
    assert bot_of_log("the0.bot.logs.b-1") == "b-1"
    assert is_log("the0.bot.logs.b-1")
    assert not is_log("the0.bot.logs")
