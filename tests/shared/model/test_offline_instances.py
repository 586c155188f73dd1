"""From "run it every hour" to the call that starts it; and what is said of it afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from shared.messages import ToolCall
from tests.shared.model.conversations import Talk

ACCEPTED = "accepted, not started"
BOT: dict[str, Any] = {"bot_id": "b-1", "name": "rsi-bot", "version": "1.0.0", "status": ACCEPTED}
INSTANCE = {"bot_id": "i-1", "name": "rsi-bot", "status": ACCEPTED}


def answer(call: ToolCall) -> dict[str, Any]:
    """What deploy_bot answers."""
    wanted = call.arguments.get("instance")
    if wanted is None:
        return BOT
    if wanted.get("stop"):
        return {"instance": {**INSTANCE, "status": "deleted"}}
    return {**BOT, "instance": INSTANCE | {k: wanted[k] for k in ("schedule",) if k in wanted}}


@pytest.fixture
def talk() -> Talk:
    """A conversation in which an RSI bot was built and deployed."""
    talk = Talk(answers={"deploy_bot": answer})
    talk.say("Build an RSI bot for BTC/USDT")
    talk.say("deploy it")
    return talk


def asked(talk: Talk, message: str) -> list[dict[str, Any]]:
    """The arguments of the calls of deploy_bot that a message leads to."""
    talk.say(message)
    return [call.arguments for call in talk.calls if call.name == "deploy_bot"]


@pytest.mark.parametrize(
    ("message", "schedule", "config"),
    [
        ("run it every hour", "0 * * * *", None),
        ("please run the bot every day at 9", "0 9 * * *", None),
        ("ok, start it on weekdays at 8:30 am", "30 8 * * 1-5", None),
        ("run it every 15 minutes with ETH/USDT and a 2% stop loss", "*/15 * * * *",
         {"symbol": "ETH/USDT", "stop_loss_pct": 2}),
        ("create an instance with 0 */4 * * *", "0 */4 * * *", None),
        # Without a rhythm, the one that the bot was built for.
        ("start it", "1 * * * *", None),
    ],
)  # fmt: skip
def test_a_deployed_bot_is_started_as_the_words_say(
    talk: Talk, message: str, schedule: str, config: dict[str, Any] | None
) -> None:
    (arguments,) = asked(talk, message)
    assert arguments["instance"]["schedule"] == schedule
    assert arguments["instance"].get("config") == config
    assert "bot_id" not in arguments["instance"]


def test_it_is_changed_and_stopped_by_its_id(talk: Talk) -> None:
    asked(talk, "run it every hour")
    (changed,) = asked(talk, "run it every 2 hours instead")
    assert changed == {"instance": {"schedule": "0 */2 * * *", "bot_id": "i-1"}}
    (stopped,) = asked(talk, "stop the bot")
    assert stopped == {"instance": {"bot_id": "i-1", "stop": True}}
    assert asked(talk, "stop it") == []
    # What was stopped is started anew.
    (again,) = asked(talk, "start it again")
    assert "bot_id" not in again["instance"]


def test_a_rhythm_that_no_cron_has_is_asked_about(talk: Talk) -> None:
    assert asked(talk, "run it every 7 hours") == []
    assert "cannot turn that rhythm into a schedule" in talk.replies[-1]


def test_deploy_and_run_are_one_call() -> None:
    talk = Talk(answers={"deploy_bot": answer})
    talk.say("Build an RSI bot for BTC/USDT")
    (arguments,) = asked(talk, "deploy it and run it every hour")
    assert arguments == {"instance": {"schedule": "0 * * * *"}}


@pytest.mark.parametrize("message", ["run it every hour", "start it", "is it running?", "stop it"])
def test_running_is_not_said_of_what_is_only_accepted(talk: Talk, message: str) -> None:
    said = talk.say(message).lower()
    for claim in ("is running", "now running", "it runs now", "has started", "was started"):
        assert claim not in said.replace("none was started", ""), said


def test_what_was_last_told_is_told_with_where_more_is(talk: Talk) -> None:
    asked(talk, "run it every hour")
    said = talk.say("is it running?")
    assert "accepted, not started" in said
    assert "/instances" in said


def test_before_a_deployment_the_same_words_are_of_the_bot() -> None:
    talk = Talk(answers={"deploy_bot": answer})
    talk.say("Build an RSI bot for BTC/USDT")
    assert asked(talk, "run it every 4 hours") == []


@pytest.mark.parametrize(
    "message", ["add a 2% stop loss", "stop the bot when it loses 5%", "how do I run it?"]
)
def test_other_wishes_are_not_taken_for_it(talk: Talk, message: str) -> None:
    assert asked(talk, message) == []
