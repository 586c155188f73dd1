"""A message of NATS as a CloudEvent, or as a dead letter when it cannot be one.

The id is the publisher's `Nats-Msg-Id`, else made of the stream's name, the message's place in it and the
moment it was stored: a stream that is deleted and made again counts from one again, but not at that moment.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from shared.clock import to_wire
from shared.events.bridge.log_lines import error_lines
from shared.events.bridge.port import Received
from shared.events.bridge.subjects import bot_of_log, is_log, type_of
from shared.events.bridge.times import moment_of
from shared.events.envelope import CloudEvent

# A structured event must fit into one request to its receiver, and into one message of Pub/Sub.
MAX_PAYLOAD_BYTES = 2 * 1024 * 1024
MAX_REASON = 500
# So much is kept of a payload that nothing can be done with.
_SHOWN_BYTES = 64 * 1024
_MAX_ID = 256
_MAX_TRACE = 256
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ENVELOPE = {"type", "timestamp", "data"}


def event_of(message: Received) -> CloudEvent | None:
    """The event to hand on of a message; None when there is nothing, as of a log without errors."""
    if len(message.data) > MAX_PAYLOAD_BYTES:
        return dead_letter(message, f"the payload has more than {MAX_PAYLOAD_BYTES} bytes")
    if is_log(message.subject):
        return _log(message)
    try:
        payload = orjson.loads(message.data)
    except orjson.JSONDecodeError:
        return dead_letter(message, "the payload is not JSON")
    if not isinstance(payload, dict):
        return dead_letter(message, "the payload is no JSON object")
    data = payload["data"] if "data" in payload and payload.keys() <= _ENVELOPE else payload
    time = moment_of(payload) or moment_of(data)
    return _event(message, data, time)


def dead_letter(message: Received, reason: str) -> CloudEvent:
    """The message as a dead letter: its payload as text, or in base64 where it is none, cut to 64 KiB."""
    shown = message.data[:_SHOWN_BYTES]
    try:
        data = {"payload": shown.decode()}
    except UnicodeDecodeError:
        data = {"payload_base64": base64.b64encode(shown).decode()}
    return replace(_event(message, data, None), undeliverable=reason[:MAX_REASON])


def _log(message: Received) -> CloudEvent | None:
    errors = error_lines(message.data.decode(errors="replace"))
    if errors is None:
        return None
    time = errors.time or _stored(message)
    data = {
        "bot_id": bot_of_log(message.subject),
        "level": "error",
        "message": errors.message,
        "lines": list(errors.lines),
        "timestamp": to_wire(time),
    }
    return _event(message, data, time)


def _event(message: Received, data: Any, time: datetime | None) -> CloudEvent:
    trace = message.headers.get("ce-traceparent") or message.headers.get("traceparent")
    return CloudEvent(
        id=_id(message),
        # Ids are the publisher's own, and are told apart by what they are about.
        source=f"urn:the0:nats:{message.subject}",
        type=type_of(message.subject),
        time=time or _stored(message),
        traceparent=trace if trace and len(trace) <= _MAX_TRACE else None,
        data=data,
    )


def _id(message: Received) -> str:
    named = message.headers.get("Nats-Msg-Id", "")
    if 0 < len(named) <= _MAX_ID and named.isprintable():
        return named
    return f"{message.stream}-{message.sequence}-{message.stored_ns}"


def _stored(message: Received) -> datetime:
    return _EPOCH + timedelta(microseconds=message.stored_ns // 1000)
