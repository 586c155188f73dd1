"""Metrics by the contract's names, each thing counted once."""

from __future__ import annotations

from datetime import UTC, datetime

from prometheus_client.parser import text_string_to_metric_families

from shared.agent.engine import EndedTurn
from shared.keys import SessionKey
from shared.messages import TextPart, ToolCall, ToolResult, Usage
from shared.model.offline import MODEL_NAME
from shared.tools.registry import TOOLS
from shared.turn import FinalStep, ModelStep, ResumedStep, Step, ToolStep, Turn, TurnRequest, UserStep
from shared.web.labels import OFFLINE, TOOL_NAMES
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
    telemetry = Telemetry(models=("m",))
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
    telemetry = Telemetry(models=("m",))
    telemetry.turn(ended(CALL, RESULT, BROKEN))
    telemetry.turn(ended(CALL, RESULT, BROKEN, ResumedStep(), ANSWER, END))
    assert lines(telemetry, "ai_tokens_total")[0].endswith(" 200.0")
    assert lines(telemetry, "tools_executed_total")[0].endswith(" 1.0")


def test_active_sessions_are_read_when_metrics_are() -> None:
    telemetry = Telemetry(models=("m",))
    running = {"a", "b"}
    telemetry.watch_sessions(lambda: len(running))
    assert lines(telemetry, "active_ai_sessions") == ["active_ai_sessions 2.0"]
    running.clear()
    assert lines(telemetry, "active_ai_sessions") == ["active_ai_sessions 0.0"]


def test_what_callers_choose_makes_no_series() -> None:
    telemetry = Telemetry(models=("gemini-2.5-flash", "gemini-2.5-flash-lite"))
    for name in ("analyze_code", "rm -rf", "made_up_1", "made_up_2"):
        telemetry.tool(name, "error", "chat")
    for model in ("gemini-2.5-flash-001", "gemini-2.5-flash-lite", "", "../x", "gpt-9"):
        telemetry.request(model, "/chat", 200, 0.1)
    assert lines(telemetry, "tools_executed_total") == [
        'tools_executed_total{execution_status="error",session_type="chat",tool_name="analyze_code"} 1.0',
        'tools_executed_total{execution_status="error",session_type="chat",tool_name="other"} 3.0',
    ]
    assert {
        line.partition(",")[0]: float(line.split()[1]) for line in lines(telemetry, "ai_requests_total")
    } == {
        'ai_requests_total{model="gemini-2.5-flash"': 1.0,
        'ai_requests_total{model="gemini-2.5-flash-lite"': 1.0,
        'ai_requests_total{model=""': 1.0,
        'ai_requests_total{model="other"': 2.0,
    }


def test_every_tool_has_a_series_of_its_own() -> None:
    assert {tool.name for tool in TOOLS} == TOOL_NAMES
    assert MODEL_NAME == OFFLINE


def test_the_metrics_are_the_contracts() -> None:
    telemetry = Telemetry(models=("m",))
    telemetry.turn(ended(CALL, RESULT, ANSWER, END))
    telemetry.request("m", "/chat", 200, 0.1)
    telemetry.artifact("bot_code")
    telemetry.dead_letters(2)
    samples = {
        (sample.name, tuple(sorted(sample.labels.keys() - {"le"})))
        for family in text_string_to_metric_families(telemetry.text().decode())
        for sample in family.samples
    }
    assert samples >= {
        ("ai_requests_total", ("model", "request_type", "status")),
        ("ai_response_time_seconds_count", ("model",)),
        ("active_ai_sessions", ()),
        ("tools_executed_total", ("execution_status", "session_type", "tool_name")),
        ("artifacts_created_total", ("artifact_type",)),
        ("conversation_length_count", ()),
        ("ai_tokens_total", ("direction", "model")),
        ("turn_overhead_seconds_count", ()),
        ("dead_letters_waiting", ()),
    }
    assert not any(name.endswith("_created") for name, _ in samples)
