"""An event as it comes in by HTTP: CloudEvents in binary and structured mode, and what Pub/Sub pushes.

Pub/Sub pushes an envelope with the message in it, plain or, from an Eventarc trigger, as a CloudEvent whose
data is that envelope. The message is then the event: its attributes `ce-...` where its publisher set them, or
a structured CloudEvent in its data, or the contract's `{"type", "timestamp", "data"}` under Pub/Sub's id.

Source: CloudEvents 1.0.2 and its HTTP binding; Google, "Push subscriptions" and "Cloud Pub/Sub CloudEvents".
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import orjson

from shared.clock import from_wire, to_wire
from shared.events.envelope import UNDELIVERABLE, CloudEvent

BATCH_MEDIA_TYPE = "application/cloudevents-batch+json"
PUBSUB_TYPE = "google.cloud.pubsub.topic.v1.messagePublished"
_MAX_ATTRIBUTE = 1024


class EventFormError(ValueError):
    """What came is no event; the text says why, and quotes nothing of it."""


def parse_event(headers: Mapping[str, str], body: bytes) -> CloudEvent:
    """The event of a request; header names are lower case.

    Raises:
        EventFormError: it holds none.
    """
    value = _json(body)
    if media_type_of(headers) == "application/cloudevents+json":
        return parse_structured(value)
    if "ce-id" in headers or "ce-type" in headers:
        # The binding for HTTP has attributes percent-encoded.
        named = {name: unquote(text) for name, text in headers.items() if name.startswith("ce-")}
        return _unwrapped(_binary({**headers, **named}, value))
    if isinstance(value, dict) and "message" in value:
        return _pushed(value)
    raise EventFormError("neither a CloudEvent nor a message of Pub/Sub")


def parse_structured(value: Any) -> CloudEvent:
    """The event of a JSON object in structured mode, as it stands in a batch too; raises as `parse_event`."""
    return _unwrapped(_structured(value))


def parse_batch(body: bytes) -> list[Any]:
    """The JSON values of a batch, each to be read by `parse_structured`.

    Raises:
        EventFormError: it is no JSON array.
    """
    values = _json(body)
    if not isinstance(values, list):
        raise EventFormError("a batch is a JSON array of CloudEvents")
    return values


def media_type_of(headers: Mapping[str, str]) -> str:
    """The media type of a request, without its parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def structured_form(event: CloudEvent) -> dict[str, Any]:
    """The event as a JSON object in structured mode; `parse_structured` gives it back."""
    known = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "time": None if event.time is None else to_wire(event.time),
        "subject": event.subject,
        "traceparent": event.traceparent,
        UNDELIVERABLE: event.undeliverable,
        "data": event.data,
    }
    return {name: value for name, value in known.items() if value is not None}


def _unwrapped(event: CloudEvent) -> CloudEvent:
    return _pushed(event.data) if event.type == PUBSUB_TYPE else event


def _binary(headers: Mapping[str, str], data: Any) -> CloudEvent:
    return _event({name[3:]: text for name, text in headers.items() if name.startswith("ce-")}, headers, data)


def _structured(value: Any) -> CloudEvent:
    if not isinstance(value, dict):
        raise EventFormError("a structured CloudEvent is a JSON object")
    data = value.get("data")
    if data is None and "data_base64" in value:
        data = _json(_base64(value["data_base64"], "data_base64"))
    return _event(value, value, data)


def _event(attributes: Mapping[str, Any], extensions: Mapping[str, Any], data: Any) -> CloudEvent:
    if attributes.get("specversion", "1.0") != "1.0":
        raise EventFormError("only CloudEvents 1.0 are read")
    return CloudEvent(
        id=_required(attributes, "id"),
        source=_required(attributes, "source"),
        type=_required(attributes, "type"),
        time=_time(attributes.get("time")),
        subject=_text(attributes, "subject"),
        traceparent=_text(attributes, "traceparent") or _text(extensions, "traceparent"),
        undeliverable=_text(attributes, UNDELIVERABLE),
        data=data,
    )


def _pushed(envelope: Any) -> CloudEvent:
    """The event of a message that Pub/Sub pushes."""
    message = envelope.get("message") if isinstance(envelope, dict) else None
    if not isinstance(message, dict):
        raise EventFormError("the envelope of Pub/Sub holds no message")
    attributes = message.get("attributes") or {}
    if not isinstance(attributes, dict):
        raise EventFormError("attributes: must be an object")
    value = _json(_base64(message.get("data", ""), "message.data"))
    if "ce-id" in attributes:
        return _binary(attributes, _told(value))
    if isinstance(value, dict) and "specversion" in value:
        return _structured(value)
    return _bare(message, str(envelope.get("subscription", "")), value)


def _bare(message: Mapping[str, Any], subscription: str, value: Any) -> CloudEvent:
    """A message that is no CloudEvent: Pub/Sub's id and time stand in."""
    if not isinstance(value, dict) or "type" not in value:
        raise EventFormError("the message says no type")
    stamp = value.get("timestamp") or message.get("publishTime") or message.get("publish_time")
    found = {
        "id": message.get("messageId") or message.get("message_id"),
        "source": f"//pubsub.googleapis.com/{subscription}",
        "type": value["type"],
        "time": stamp,
    }
    return _event(found, {}, _told(value))


def _told(value: Any) -> Any:
    """The data of the contract's body `{"type", "timestamp", "data"}`; anything else is data itself."""
    is_contracts = isinstance(value, dict) and {"type", "data"} <= value.keys() <= {
        "type",
        "timestamp",
        "data",
    }
    return value["data"] if is_contracts else value


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body) if body else None
    except orjson.JSONDecodeError:
        raise EventFormError("the data is not JSON") from None


def _base64(value: Any, name: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise EventFormError(f"{name}: must be base64") from None


def _time(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        return from_wire(value)
    except (TypeError, ValueError, OverflowError):
        raise EventFormError("time: must be an RFC 3339 time with its zone") from None


def _required(attributes: Mapping[str, Any], name: str) -> str:
    text = _text(attributes, name)
    if not text:
        raise EventFormError(f"{name}: is required")
    return text


def _text(attributes: Mapping[str, Any], name: str) -> str | None:
    value = attributes.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _MAX_ATTRIBUTE:
        raise EventFormError(f"{name}: must be a string of at most {_MAX_ATTRIBUTE} characters")
    return value
