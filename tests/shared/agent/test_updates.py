"""Streams derived from the record: from every position, exactly the rest, live or later."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.agent.feed import TurnFeed
from shared.agent.history import past_messages
from shared.agent.updates import START, ContentUpdate, Position, Update, parse_position, replay
from shared.clock import utc_now
from shared.errors import InvalidRequestError
from shared.keys import SessionKey
from shared.messages import TextPart, ToolCall, ToolResult, Usage
from shared.turn import FinalStep, ModelStep, Step, ToolStep, Turn, TurnRequest, UserStep

TEXT = st.text(max_size=12)


@st.composite
def turns(draw: st.DrawFn) -> Turn:
    """Turns of any course: replies, calls, results, some left open, ended or not."""
    steps: list[Step] = [UserStep(text="Go")]
    for reply in range(draw(st.integers(0, 4))):
        calls = [ToolCall(id=f"{reply}-{n}", name="t", arguments={}) for n in range(draw(st.integers(0, 3)))]
        texts = tuple(TextPart(text=text) for text in draw(st.lists(TEXT, max_size=2)))
        steps.append(
            ModelStep(parts=(*texts, *calls), finish_reason="stop", usage=Usage(output_tokens=1), model="m")
        )
        for call in calls:
            if draw(st.booleans()):
                saved = draw(st.sampled_from([None, ("a.py",)]))
                steps.append(ToolStep(result=ToolResult(id=call.id, name="t", status="ok"), filenames=saved))
    if draw(st.booleans()):
        error = draw(st.sampled_from([None, "no"]))
        steps.append(FinalStep(status="completed", finish_reason="stop", error=error))
    return Turn(
        key=SessionKey(user_id="u", session_id="s"),
        turn_id="t",
        number=1,
        request=TurnRequest(message="Go"),
        prompt_version="1",
        status="completed",
        created_at=utc_now(),
        steps=tuple(steps),
    )


def text_of(updates: list[Update]) -> str:
    return "".join(update.content for update in updates if isinstance(update, ContentUpdate))


def others(updates: list[Update]) -> list[Update]:
    return [update for update in updates if not isinstance(update, ContentUpdate)]


@given(turns())
def test_positions_grow_and_the_text_is_the_answer(turn: Turn) -> None:
    updates = list(replay(turn))
    positions = [update.at for update in updates]
    assert positions == sorted(set(positions))
    assert text_of(updates) == turn.response


@given(turns(), st.data())
def test_from_any_position_comes_exactly_the_rest(turn: Turn, data: st.DataObject) -> None:
    updates = list(replay(turn))
    index = data.draw(st.integers(0, len(updates) - 1))
    after = parse_position(str(updates[index].at))
    assert list(replay(turn, after)) == updates[index + 1 :]


@given(turns(), st.data())
def test_text_that_was_partly_seen_goes_on_where_it_stopped(turn: Turn, data: st.DataObject) -> None:
    whole = list(replay(turn))
    contents = [u for u in whole if isinstance(u, ContentUpdate)]
    if not contents:
        return
    chosen = data.draw(st.sampled_from(contents))
    seen = data.draw(st.integers(1, chosen.at.offset))
    rest = list(replay(turn, Position(chosen.at.step, seen)))
    already = sum(len(u.content) for u in contents[: contents.index(chosen)])
    lead = len(chosen.content) - chosen.at.offset
    assert text_of(rest) == turn.response[already + lead + seen :]


@given(turns(), st.data())
def test_a_live_reader_and_a_late_one_hear_the_same(turn: Turn, data: st.DataObject) -> None:
    updates = list(replay(turn))
    early = data.draw(st.integers(0, len(updates)))

    async def listen() -> tuple[list[Update], list[Update]]:
        feed = TurnFeed()
        for update in updates[:early]:
            feed.send(update)

        async def read() -> list[Update]:
            return [update async for batch in feed.follow(START) for update in batch]

        live = asyncio.create_task(read())
        await asyncio.sleep(0)
        for update in updates[early:]:
            feed.send(update)
            await asyncio.sleep(0)
        feed.close()
        return await live, await read()

    live, late = asyncio.run(listen())
    assert live == late == updates


@given(st.lists(turns(), max_size=4))
def test_history_is_always_one_that_a_model_service_accepts(past: list[Turn]) -> None:
    messages = past_messages(past)
    roles = [message.role for message in messages]
    for before, after in itertools.pairwise(roles):
        assert (before, after) in {
            ("user", "assistant"),
            ("assistant", "tool"),
            ("assistant", "user"),
            ("tool", "assistant"),
        }
    for message, following in itertools.zip_longest(messages, messages[1:]):
        if message.tool_calls:
            assert following is not None
            answered = [part.id for part in following.parts if isinstance(part, ToolResult)]
            assert answered == [call.id for call in message.tool_calls]
    assert not roles or roles[-1] == "assistant"


@pytest.mark.parametrize("text", ["", "1", "a.b", "1.", ".1", "1.2.3", "-1.0", "1.-1", "¹.0"])
def test_an_id_that_no_stream_sent_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        parse_position(text)
