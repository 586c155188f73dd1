"""Events as they come in by HTTP, in every form that Pub/Sub, Eventarc and CloudEvents have for them."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from shared.events.envelope import CloudEvent
from shared.events.incoming import PUBSUB_TYPE, EventFormError, parse_event
from tests.shared.events.sample import START, cloud

EVENT = cloud(0)
HEADERS = {**EVENT.attributes(), "content-type": "application/json"}
STRUCTURED = {
    "specversion": "1.0",
    "id": "s-0",
    "source": "urn:the0:agent",
    "type": "ai.turn.completed",
    "subject": "s",
    "time": "2026-11-22T19:30:00Z",
    "data": EVENT.data,
}


def envelope(data: bytes, **attributes: str) -> dict[str, Any]:
    return {
        "message": {
            "data": base64.b64encode(data).decode(),
            "attributes": attributes,
            "messageId": "77",
            "publishTime": "2026-11-22T19:31:00Z",
        },
        "subscription": "projects/p/subscriptions/s",
    }


def body(value: Any) -> bytes:
    return orjson.dumps(value)


PUSHED = envelope(EVENT.body(), **EVENT.attributes())
EVENTARC = {
    "ce-specversion": "1.0",
    "ce-id": "77",
    "ce-source": "//pubsub.googleapis.com/projects/p/topics/t",
    "ce-type": PUBSUB_TYPE,
    "ce-time": "2026-11-22T19:31:00Z",
}


@pytest.mark.parametrize(
    ("headers", "raw"),
    [
        pytest.param(HEADERS, body(EVENT.data), id="binary"),
        pytest.param({"content-type": "application/cloudevents+json"}, body(STRUCTURED), id="structured"),
        pytest.param(
            {"content-type": "application/cloudevents+json; charset=utf-8"},
            body(
                {
                    **{name: value for name, value in STRUCTURED.items() if name != "data"},
                    "data_base64": base64.b64encode(body(EVENT.data)).decode(),
                }
            ),
            id="structured in base64",
        ),
        pytest.param({"content-type": "application/json"}, body(PUSHED), id="pushed"),
        pytest.param(EVENTARC, body(PUSHED), id="from Eventarc"),
        pytest.param({}, body(envelope(body(STRUCTURED))), id="structured, pushed"),
        pytest.param(EVENTARC, body(envelope(body(STRUCTURED))), id="structured, from Eventarc"),
    ],
)
def test_every_form_gives_the_same_event(headers: dict[str, str], raw: bytes) -> None:
    assert parse_event(headers, raw) == EVENT
    assert parse_event(headers, raw).data == EVENT.data


def test_a_message_that_is_no_cloud_event_has_pubsubs_id_and_its_own_time() -> None:
    wire = {"type": "bot.execution.failed", "timestamp": "2026-11-22T19:30:00Z", "data": {"bot_id": "b"}}
    found = parse_event({}, body(envelope(body(wire))))
    assert found == CloudEvent(
        id="77",
        source="//pubsub.googleapis.com/projects/p/subscriptions/s",
        type="bot.execution.failed",
        time=START,
        data={"bot_id": "b"},
    )
    del wire["timestamp"]
    assert parse_event({}, body(envelope(body(wire)))).time == START.replace(minute=31)


def test_attributes_are_percent_decoded_and_the_trace_is_kept() -> None:
    headers = {**HEADERS, "ce-subject": "a%20b", "traceparent": "00-1-2-01"}
    found = parse_event(headers, body({}))
    assert (found.subject, found.traceparent) == ("a b", "00-1-2-01")
    assert found.attributes()["traceparent"] == "00-1-2-01"


def test_data_that_only_looks_like_ours_is_left_alone() -> None:
    data = {"type": "x", "data": {}, "more": 1}
    assert parse_event({}, body(envelope(body(data), **EVENT.attributes()))).data == data


@pytest.mark.parametrize(
    ("headers", "raw"),
    [
        ({}, b""),
        ({}, b"[]"),
        ({}, b"{"),
        ({}, body({"hello": 1})),
        ({}, body({"message": "text"})),
        ({}, body({"message": {"data": "###"}})),
        ({}, body({"message": {"data": 5}})),
        ({}, body({"message": {"attributes": [1]}})),
        ({}, body({"message": {"data": base64.b64encode(b"nothing").decode()}})),
        ({}, body(envelope(b'{"no": "type"}'))),
        ({}, body(envelope(b'{"type": 5}'))),
        ({**HEADERS, "ce-id": ""}, b"{}"),
        ({**HEADERS, "ce-id": "x" * 1025}, b"{}"),
        ({**HEADERS, "ce-specversion": "0.3"}, b"{}"),
        ({**HEADERS, "ce-time": "yesterday"}, b"{}"),
        ({**HEADERS, "ce-time": "2026-11-22T19:30:00"}, b"{}"),
        ({"ce-type": "x"}, b"{}"),
        ({**EVENTARC}, b"[]"),
        ({"content-type": "application/cloudevents+json"}, b"[]"),
        ({"content-type": "application/cloudevents+json"}, body({**STRUCTURED, "id": 5})),
        ({"content-type": "application/cloudevents+json"}, body({**STRUCTURED, "type": None})),
    ],
)
def test_what_is_no_event_is_told(headers: dict[str, str], raw: bytes) -> None:
    with pytest.raises(EventFormError):
        parse_event(headers, raw)
