"""Messages made to fit: always inside the room, always a history that a model service accepts."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.agent.shorten import cut_text, fit_messages, shorten_message, split_turns
from shared.agent.tokens import json_text, tokens_of, tokens_of_text
from shared.messages import Message, Part, TextPart, ToolCall, ToolFault, ToolResult

SIZES = st.sampled_from([0, 1, 30, 500, 3_000, 40_000])
FILL = st.sampled_from(["a ", "7", "{", "é", "語", '"', "\x00"])
SIGNATURES = st.sampled_from([None, "c2ln"])


@st.composite
def words(draw: st.DrawFn) -> str:
    return draw(FILL) * draw(SIZES)


VALUES = st.recursive(
    st.one_of(words(), st.integers(), st.none()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=4,
)


@st.composite
def turns(draw: st.DrawFn, number: int, *, open_end: bool) -> list[Message]:
    """The messages of a turn as history.py makes them; `open_end`: the model is to be asked next."""
    messages = [Message(role="user", parts=(TextPart(text=f"request {number}"),))]
    for reply in range(draw(st.integers(0, 3))):
        calls = tuple(
            ToolCall(
                id=f"{number}-{reply}-{n}",
                name="t",
                arguments={"content": draw(words())},
                signature=draw(SIGNATURES),
            )
            for n in range(draw(st.integers(1, 3)))
        )
        text = TextPart(text=draw(words()))
        messages.append(Message(role="assistant", parts=(text, *calls)))
        messages.append(Message(role="tool", parts=tuple(draw(results(call.id)) for call in calls)))
    if not open_end:
        messages.append(Message(role="assistant", parts=(TextPart(text=draw(words())),)))
    return messages


@st.composite
def results(draw: st.DrawFn, call_id: str) -> ToolResult:
    if draw(st.booleans()):
        fault = ToolFault(code="failed", message=draw(words()))
        return ToolResult(id=call_id, name="t", status="error", error=fault)
    return ToolResult(id=call_id, name="t", status="ok", result=draw(VALUES), untrusted=draw(st.booleans()))


@st.composite
def conversations(draw: st.DrawFn) -> tuple[list[Message], list[Message]]:
    count = draw(st.integers(0, 3))
    past = [m for number in range(count) for m in draw(turns(number, open_end=False))]
    return past, draw(turns(count, open_end=True))


def calls_and_results(messages: Sequence[Message]) -> list[Any]:
    return [
        (part.kind, part.id, part.name, getattr(part, "signature", None), getattr(part, "untrusted", None))
        for message in messages
        for part in message.parts
        if not isinstance(part, TextPart)
    ]


@given(conversations(), st.sampled_from([8_000, 20_000, 60_000]))
def test_what_is_sent_fits_and_is_whole_turns_in_pairs(
    conversation: tuple[list[Message], list[Message]], room: int
) -> None:
    past, current = conversation
    sent = fit_messages(past, current, room)
    assert tokens_of(sent) <= room
    # The running turn has all its messages, with ids, signatures and marks; of earlier turns the newest stay.
    kept = len(sent) - len(current)
    assert calls_and_results(sent) == calls_and_results([*past[len(past) - kept :], *current])
    assert [len(turn) for turn in split_turns(past[len(past) - kept :])] == [
        len(turn) for turn in split_turns(past)[len(split_turns(past)) - len(split_turns(sent)) + 1 :]
    ]
    for before, after in itertools.pairwise(sent):
        assert before.role != after.role
        answered = [part.id for part in after.parts if isinstance(part, ToolResult)]
        assert answered == [call.id for call in before.tool_calls]
    users = [message.text for message in sent if message.role == "user"]
    assert users == [f"request {number}" for number in range(len(split_turns(past)) + 1)][-len(users) :]


@given(conversations())
def test_what_fits_is_left_as_it_is(conversation: tuple[list[Message], list[Message]]) -> None:
    past, current = conversation
    everything = (*past, *current)
    assert fit_messages(past, current, tokens_of(everything)) == everything


@given(conversations(), st.sampled_from([2_000, 10_000]))
def test_fitting_twice_changes_nothing(conversation: tuple[list[Message], list[Message]], room: int) -> None:
    sent = fit_messages(*conversation, room)
    assert fit_messages(*conversation, room) == sent


@given(VALUES, st.sampled_from([100, 400, 1_000, 8_000]))
def test_a_shortened_value_is_bounded_json(value: Any, limit: int) -> None:
    part = ToolResult(id="1", name="read_artifact", status="ok", result=value)
    message = shorten_message(Message(role="tool", parts=(part,)), limit)
    [short] = message.parts
    assert isinstance(short, ToolResult)
    assert len(json_text(short.result)) <= limit + 200
    assert (short.result == value) == (len(json_text(value)) <= limit)


def result_of(value: Any, limit: int) -> Any:
    parts: tuple[Part, ...] = (ToolResult(id="1", name="read_artifact", status="ok", result=value),)
    [short] = shorten_message(Message(role="tool", parts=parts), limit).parts
    assert isinstance(short, ToolResult)
    return short.result


def test_a_note_says_how_much_is_gone_and_how_to_get_it() -> None:
    short = result_of({"filename": "a.py", "content": "x" * 10_000}, 1_000)
    assert short["filename"] == "a.py"
    assert short["content"].startswith("x" * 500 + " [… 9,500 more characters")
    assert "call read_artifact again" in short["content"]


def test_a_call_s_long_argument_says_that_it_was_sent_whole() -> None:
    call = ToolCall(id="1", name="save_artifact", arguments={"content": "x" * 9_000}, signature="s")
    [short] = shorten_message(Message(role="assistant", parts=(call,)), 1_000).parts
    assert isinstance(short, ToolCall)
    assert "they were sent whole" in short.arguments["content"]
    assert short.signature == "s"


def test_the_newest_results_are_the_last_to_be_cut() -> None:
    def pair(n: int, size: int) -> list[Message]:
        call = ToolCall(id=str(n), name="t", arguments={})
        result = ToolResult(id=str(n), name="t", status="ok", result="r" * size)
        return [Message(role="assistant", parts=(call,)), Message(role="tool", parts=(result,))]

    request = Message(role="user", parts=(TextPart(text="go"),))
    current = [request, *pair(1, 20_000), *pair(2, 20_000)]
    sent = fit_messages([], current, 9_000)
    assert [len(str(message)) > 20_000 for message in sent] == [False, False, False, False, True]


def test_the_user_s_own_message_is_never_cut() -> None:
    request = Message(role="user", parts=(TextPart(text="語" * 32_768),))
    past = [request, Message(role="assistant", parts=(TextPart(text="Yes."),))]
    assert fit_messages(past, [request], 10_000) == (request,)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("The quick brown fox jumps over the lazy dog. " * 20, 1.0, 2.0),
        ("語" * 100, 1.0, 2.0),
        ("7" * 50, 1, 1),
    ],
)
def test_estimates_are_on_the_safe_side(text: str, low: float, high: float) -> None:
    # Gemini's documentation: four characters of English a token; the tokenizer makes a token of each digit.
    real = {"T": len(text) / 4, "語": len(text), "7": len(text)}[text[0]]
    assert low * real <= tokens_of_text(text) <= high * real


@given(st.text())
def test_no_text_has_more_than_three_times_the_estimate(text: str) -> None:
    assert len(text.encode()) <= 3 * tokens_of_text(text)


def test_a_text_that_the_note_would_not_shorten_stays() -> None:
    assert cut_text("x" * 130, 100) == "x" * 130
