"""Stored forms: today's are pinned, those of the first release still load, nothing is lost."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import InternalError
from shared.messages import ToolCall
from shared.session import Summary
from shared.sessions.codec import Codec
from shared.sessions.sql.columns import from_micros, to_micros
from shared.turn import (
    ApprovalStep,
    DecisionStep,
    ResumedStep,
    Step,
    ToolStep,
    TurnRequest,
    UserStep,
)
from tests.contracts.session_values import COMPLETED, DONE, FAILED, FAULT, MODEL, ODD, TOOL

CODEC, USER = Codec(), "alice"

# Rows as the first release wrote them. Never change one: a database out there holds it.
FIRST_RELEASE: tuple[tuple[bytes, Step], ...] = (
    (
        b'{"schema_version":1,"value":{"text":"hi","context":{"a":1},"kind":"user"}}',
        UserStep(text="hi", context={"a": 1}),
    ),
    (
        b'{"schema_version":1,"value":{"parts":[{"text":"Done.","signature":null,"kind":"text"}],'
        b'"finish_reason":"stop","usage":{"input_tokens":0,"output_tokens":0},"model":"m","kind":"model"}}',
        DONE,
    ),
    (
        b'{"schema_version":1,"value":{"result":{"id":"call-2","name":"browse_web","status":"error",'
        b'"result":null,"error":{"code":"timeout","message":"try later","retryable":true},"duration_ms":0,'
        b'"artifacts":[],"untrusted":false,"kind":"tool_result"},"filenames":null,"kind":"tool"}}',
        FAULT,
    ),
    (
        b'{"schema_version":1,"value":{"status":"failed","finish_reason":"error","error":"no",'
        b'"code":"model_unavailable","retryable":true,"kind":"final"}}',
        FAILED,
    ),
)

# And those that came with pauses and resumptions.
THIRD_MIGRATION: tuple[tuple[bytes, Step], ...] = (
    (
        b'{"schema_version":1,"value":{"call_id":"call-1","name":"deploy_bot","arguments":{"a":1},'
        b'"artifacts_sha256":"00","expires_at":"2026-03-01T12:00:00.000005+00:00","token":"t",'
        b'"kind":"approval"}}',
        ApprovalStep(
            call_id="call-1",
            name="deploy_bot",
            arguments={"a": 1},
            artifacts_sha256="00",
            expires_at=datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC),
            token="t",
        ),
    ),
    (
        b'{"schema_version":1,"value":{"call_id":"call-1","approved":true,"kind":"decision"}}',
        DecisionStep(call_id="call-1", approved=True),
    ),
    (b'{"schema_version":1,"value":{"kind":"resumed"}}', ResumedStep()),
)
STORED = FIRST_RELEASE + THIRD_MIGRATION


@pytest.mark.parametrize(("stored", "step"), STORED)
def test_stored_steps_load(stored: bytes, step: Step) -> None:
    assert CODEC.decode_step(stored, USER) == step


@pytest.mark.parametrize(("stored", "step"), STORED)
def test_the_stored_form_is_what_it_was(stored: bytes, step: Step) -> None:
    assert CODEC.encode(step, USER) == stored


def test_a_field_that_came_later_is_filled_in_and_one_from_later_is_ignored() -> None:
    form = json.loads(CODEC.encode(TOOL, USER))
    del form["value"]["result"]["untrusted"]
    form["value"]["result"]["colour"] = "red"
    form["value"]["shape"] = "round"
    loaded = CODEC.decode_step(json.dumps(form).encode(), USER)
    assert isinstance(loaded, ToolStep)
    assert loaded.result.untrusted is False
    assert loaded.filenames == ("main.py", "README.md")


@pytest.mark.parametrize("step", [MODEL, TOOL, FAULT, DONE, COMPLETED, FAILED])
def test_a_step_comes_back_with_all_its_fields(step: Step) -> None:
    again = CODEC.decode_step(CODEC.encode(step, USER), USER)
    assert again == step
    assert repr(again) == repr(step)


def test_a_request_comes_back_and_a_short_one_is_filled_in() -> None:
    request = TurnRequest(message=ODD, enable_tools=False, context={"a": [1]}, model="m")
    assert CODEC.decode_request(CODEC.encode(request, USER), USER) == request
    assert CODEC.decode_request(b'{"schema_version":1,"value":{"message":"m"}}', USER) == TurnRequest(
        message="m"
    )


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(json_values)
def test_any_json_value_comes_back(value: Any) -> None:
    assert CODEC.decode(CODEC.encode(value, USER), USER) == value


@settings(max_examples=300, deadline=None)
@given(st.integers(0, to_micros(datetime(2105, 12, 31, tzinfo=UTC))))
def test_a_stored_time_is_exact(micros: int) -> None:
    assert to_micros(from_micros(micros)) == micros


def test_what_is_no_json_is_our_own_mistake() -> None:
    with pytest.raises(InternalError):
        CODEC.encode({"x": object()}, USER)
    with pytest.raises(InternalError):
        CODEC.encode(ToolCall(id="a", name="b", arguments={"x": {1, 2}}), USER)


def test_a_form_of_a_later_release_is_refused() -> None:
    for stored in (
        b'{"schema_version":2,"value":{}}',
        b'{"schema_version":1,"value":{"kind":"dance"}}',
    ):
        with pytest.raises(InternalError):
            CODEC.decode_step(stored, USER)


def test_every_kind_of_step_has_a_stored_sample() -> None:
    assert {type(step) for _, step in STORED} == set(get_args(Step))


def test_a_stored_summary_loads() -> None:
    stored = b'{"schema_version":1,"value":{"text":"s","through":7}}'
    summary = Summary(text="s", through=7)
    assert CODEC.decode_summary(stored, USER) == summary
    assert CODEC.encode(summary, USER) == stored


def test_a_time_beside_what_only_the_exact_writer_takes_is_the_same() -> None:
    asked = THIRD_MIGRATION[0][1]
    assert isinstance(asked, ApprovalStep)
    step = replace(asked, arguments={"a": 2**70, "b": ODD})
    assert CODEC.decode_step(CODEC.encode(step, USER), USER) == step
