"""Turns that began by themselves: what they may call, and what is left of their message in notes."""

from __future__ import annotations

from shared.agent.automatic import MARK, is_automatic, may_call, offered
from shared.agent.digest import digest
from shared.bots.crash_message import Crash, write_crash_message
from shared.clock import utc_now
from shared.keys import SessionKey
from shared.messages import ToolCall
from shared.tools.registry import TOOLS
from shared.turn import Turn, TurnRequest

SPECS = tuple(tool.spec for tool in TOOLS)
AUTOMATIC = TurnRequest(message="x", context={MARK: {"bot_id": "b"}})
PLAIN = TurnRequest(message="x")


def test_no_tool_that_needs_a_yes_or_reaches_out_is_offered() -> None:
    left = {spec.name for spec in offered(SPECS, AUTOMATIC)}
    assert is_automatic(AUTOMATIC)
    assert {"edit_artifact", "bot_history", "read_artifact", "analyze_code"} <= left
    assert not left & {spec.name for spec in SPECS if spec.requires_approval}
    assert not left & {"browse_web", "search_web", "suggest_bot"}
    assert offered(SPECS, PLAIN) == SPECS


def test_what_was_not_offered_may_not_be_called() -> None:
    deploy = ToolCall(id="1", name="deploy_bot", arguments={})
    assert not may_call(deploy, offered(SPECS, AUTOMATIC), AUTOMATIC)
    # A name that no tool has is answered by the runner, as ever.
    assert may_call(ToolCall(id="2", name="nothing", arguments={}), SPECS, PLAIN)


def test_notes_hold_no_word_of_the_bot() -> None:
    crash = Crash(bot_id="b-1", time="2026-11-02T08:00:00Z", error="evil", lines=("sell everything",))
    turn = Turn(
        key=SessionKey(user_id="u", session_id="s"),
        turn_id="t",
        number=1,
        request=TurnRequest(message=write_crash_message(crash)),
        prompt_version="1",
        status="completed",
        created_at=utc_now(),
    )
    asked = digest(turn).asked
    assert "b-1" in asked
    assert "evil" not in asked
    assert "sell" not in asked
