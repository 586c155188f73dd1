"""How much memory a cached history says that it takes."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime

import pytest

from shared.keys import SessionKey
from shared.messages import TextPart, ToolCall, ToolResult, Usage
from shared.sessions.history_form import History, read_turn, write_turn
from shared.turn import FinalStep, ModelStep, Step, ToolStep, Turn, TurnRequest

KEY = SessionKey(user_id="alice", session_id="s")
NOW = datetime(2026, 11, 28, tzinfo=UTC)
TURNS = 100


def form_of(characters: int, tools: int) -> bytes:
    """The form of a turn with an answer of so many characters, after so many tool calls."""
    steps: list[Step] = []
    for number in range(tools):
        call = ToolCall(id=f"c{number}", name="search_documentation", arguments={"query": "state"})
        steps.append(ModelStep(parts=(call,), finish_reason="tool_calls", usage=Usage(), model="m"))
        result = ToolResult(id=call.id, name=call.name, status="ok", result={"found": "y" * characters})
        steps.append(ToolStep(result=result))
    said = TextPart(text="x" * characters)
    steps.append(ModelStep(parts=(said,), finish_reason="stop", usage=Usage(), model="m"))
    steps.append(FinalStep(status="completed", finish_reason="stop"))
    turn = Turn(
        key=KEY,
        turn_id="t",
        number=1,
        prompt_version="p",
        status="completed",
        created_at=NOW,
        completed_at=NOW,
        step_times=(NOW,) * len(steps),
        request=TurnRequest(message="And now?"),
        steps=tuple(steps),
    )
    form = write_turn(turn)
    assert form is not None
    return form


@pytest.mark.parametrize(("characters", "tools"), [(40, 0), (200, 3), (8000, 0), (8000, 2)])
def test_its_size_is_what_it_takes_of_memory(characters: int, tools: int) -> None:
    form = form_of(characters, tools)
    read_turn(form, KEY)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        forms = {number: bytes(bytearray(form)) for number in range(TURNS)}
        turns = tuple(read_turn(each, KEY) for each in forms.values())
        history = History(revision=1, created_at=NOW, messages=2 * TURNS, turns=turns, forms=forms)
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert 0.7 * taken < history.size < 1.4 * taken
