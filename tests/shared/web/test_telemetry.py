"""Metrics by the contract's names, each thing counted once."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.agent.engine import EndedTurn
from shared.keys import SessionKey
from shared.messages import TextPart, ToolCall, ToolResult, Usage
from shared.turn import FinalStep, ModelStep, ResumedStep, Step, ToolStep, Turn, TurnRequest, UserStep
from shared.web.telemetry import Telemetry

USAGE = Usage(input_tokens=100, output_tokens=10)
CALL = ModelStep(
    parts=(ToolCall(id="1", name="analyze_code", arguments={}),),
    finish_reason="tool_calls",
    usage=USAGE,
    model="m",
)
RESULT = ToolStep(result=ToolResult(id="1", name="analyze_code", status="ok"))
ANSWER = ModelStep(parts=(TextPart(text="Done."),), finish_reason="stop", usage=USAGE, model="m")
END = FinalStep(status="completed", finish_reason="stop")
BROKEN = FinalStep(status="interrupted", finish_reason="cancelled", error="the turn was interrupted")


def ended(*steps: Step, number: int = 1) -> EndedTurn:
    turn = Turn(
        key=SessionKey(user_id="u", session_id="s"),
        turn_id="t",
        number=number,
        request=TurnRequest(message="Go"),
        prompt_version="1",
        status="completed",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        steps=(UserStep(text="Go"), *steps),
    )
    return EndedTurn(turn=turn, seconds=2.0, model_seconds=1.5, tool_seconds=0.4)


def lines(telemetry: Telemetry, name: str) -> list[str]:
    return [line for line in telemetry.text().decode().splitlines() if line.startswith(name)]


def test_a_turn_counts_its_tokens_tools_and_the_sessions_length() -> None:
    telemetry = Telemetry()
    telemetry.turn(ended(CALL, RESULT, ANSWER, END, number=8))
    assert lines(telemetry, "ai_tokens_total") == [
        'ai_tokens_total{direction="input",model="m"} 200.0',
        'ai_tokens_total{direction="output",model="m"} 20.0',
    ]
    assert lines(telemetry, "tools_executed_total") == [
        'tools_executed_total{execution_status="ok",session_type="chat",tool_name="analyze_code"} 1.0'
    ]
    # The eighth turn's end: sixteen messages.
    assert lines(telemetry, "conversation_length_sum") == ["conversation_length_sum 16.0"]
    assert lines(telemetry, 'conversation_length_bucket{le="10.0"}')[0].endswith(" 0.0")
    assert lines(telemetry, 'conversation_length_bucket{le="20.0"}')[0].endswith(" 1.0")


def test_a_turn_taken_up_again_is_counted_once() -> None:
    telemetry = Telemetry()
    telemetry.turn(ended(CALL, RESULT, BROKEN))
    telemetry.turn(ended(CALL, RESULT, BROKEN, ResumedStep(), ANSWER, END))
    assert lines(telemetry, "ai_tokens_total")[0].endswith(" 200.0")
    assert lines(telemetry, "tools_executed_total")[0].endswith(" 1.0")


def test_active_sessions_are_read_when_metrics_are() -> None:
    telemetry = Telemetry()
    running = {"a", "b"}
    telemetry.watch_sessions(lambda: len(running))
    assert lines(telemetry, "active_ai_sessions") == ["active_ai_sessions 2.0"]
    running.clear()
    assert lines(telemetry, "active_ai_sessions") == ["active_ai_sessions 0.0"]
