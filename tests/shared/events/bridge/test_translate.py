"""A message of NATS becomes a CloudEvent, a dead letter, or nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from shared.events.bridge.translate import MAX_PAYLOAD_BYTES, event_of
from shared.events.incoming import parse_structured, structured_form
from tests.shared.events.bridge.sample import STORED_NS, received

STORED = datetime.fromtimestamp(STORED_NS // 1000 / 1e6, UTC)


def test_a_platform_event_as_it_is() -> None:
    message = received(orjson.dumps({"id": "b", "config": {}}), subject="the0.bot.created")
    event = event_of(message)
    assert event is not None
    assert structured_form(event) == {
        "specversion": "1.0",
        "id": f"S-7-{STORED_NS}",
        "source": "urn:the0:nats:the0.bot.created",
        "type": "the0.bot.created",
        "time": "2026-11-18T11:06:40.123456Z",
        "data": {"id": "b", "config": {}},
    }


def test_the_publishers_id_and_trace_are_kept() -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    event = event_of(received(b"{}", headers={"Nats-Msg-Id": "mine", "traceparent": trace}))
    assert event is not None
    assert (event.id, event.traceparent) == ("mine", trace)


@pytest.mark.parametrize("name", ["", "x" * 257, "line\nbreak"])
def test_an_id_that_is_none_is_not_taken(name: str) -> None:
    event = event_of(received(b"{}", headers={"Nats-Msg-Id": name, "traceparent": "x" * 300}))
    assert event is not None
    assert (event.id, event.traceparent) == (f"S-7-{STORED_NS}", None)


def test_a_stream_made_again_does_not_repeat_ids() -> None:
    first, again = event_of(received(b"{}")), event_of(received(b"{}", stored_ns=STORED_NS + 1))
    assert first is not None
    assert again is not None
    assert first.id != again.id


@pytest.mark.parametrize(
    ("payload", "data", "time"),
    [
        (
            {"type": "x", "timestamp": "2026-11-22T19:30:00Z", "data": {"bot_id": "b"}},
            {"bot_id": "b"},
            datetime(2026, 11, 22, 19, 30, tzinfo=UTC),
        ),
        (
            {"data": {"bot_id": "b", "timestamp": "2026-11-22T20:30:00+01:00"}},
            {"bot_id": "b", "timestamp": "2026-11-22T20:30:00+01:00"},
            datetime(2026, 11, 22, 19, 30, tzinfo=UTC),
        ),
        ({"bot_id": "b", "data": 1}, {"bot_id": "b", "data": 1}, STORED),
        ({"time": 1795375800}, {"time": 1795375800}, datetime(2026, 11, 22, 19, 30, tzinfo=UTC)),
        ({"ts": 1795375800000}, {"ts": 1795375800000}, datetime(2026, 11, 22, 19, 30, tzinfo=UTC)),
        ({"timestamp": "yesterday"}, {"timestamp": "yesterday"}, STORED),
        ({"timestamp": "2026-11-22T19:30:00"}, {"timestamp": "2026-11-22T19:30:00"}, STORED),
        ({"timestamp": 1e300}, {"timestamp": 1e300}, STORED),
        ({"timestamp": True}, {"timestamp": True}, STORED),
    ],
)
def test_data_and_time(payload: Any, data: Any, time: datetime) -> None:
    event = event_of(received(orjson.dumps(payload)))
    assert event is not None
    assert (event.data, event.time) == (data, time)


@pytest.mark.parametrize(
    ("payload", "reason", "data"),
    [
        (b"not json", "not JSON", {"payload": "not json"}),
        (b"", "not JSON", {"payload": ""}),
        (b"[1]", "no JSON object", {"payload": "[1]"}),
        (b"\xff\x00", "not JSON", {"payload_base64": "/wA="}),
        (b"x" * (MAX_PAYLOAD_BYTES + 1), "more than", {"payload": "x" * 64 * 1024}),
    ],
)
def test_what_cannot_be_read_is_a_dead_letter(payload: bytes, reason: str, data: dict[str, str]) -> None:
    event = event_of(received(payload))
    assert event is not None
    assert event.undeliverable is not None
    assert reason in event.undeliverable
    assert (event.type, event.data) == ("bot.execution.completed", data)
    assert parse_structured(structured_form(event)) == event
    assert event.attributes()["ce-deadletterreason"] == event.undeliverable


def test_of_logs_the_errors_alone() -> None:
    assert event_of(received(b"INFO all is well", subject="the0.bot.logs.b-1")) is None
    event = event_of(received(b"INFO x\nERROR \xff bad", subject="the0.bot.logs.b-1"))
    assert event is not None
    assert (event.type, event.time) == ("the0.bot.log", STORED)
    assert event.data == {
        "bot_id": "b-1",
        "level": "error",
        "message": "ERROR � bad",
        "lines": ["ERROR � bad"],
        "timestamp": "2026-11-18T11:06:40.123456Z",
    }
