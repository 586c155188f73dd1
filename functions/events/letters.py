"""Dead letters: what is kept of an event that was not applied, and how it is read again."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from functions.events.addressing import Refusal
from shared.bots.facts import event_key
from shared.errors import UnprocessableError
from shared.events.envelope import CloudEvent
from shared.events.incoming import EventFormError, parse_event, parse_structured, structured_form
from shared.sessions.inbound_port import DeadLetter

# What is larger is kept as its beginning, and cannot be replayed.
MOST_PAYLOAD = 256 * 1024
_MOST_DETAIL = 500
_KEPT_HEADERS = ("content-type",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What came: an event, or the reason why it is none, with all that is kept of it then.

    `letter_received_at` is set for what is read again from a letter.
    """

    event: CloudEvent | None
    problem: str = ""
    raw: dict[str, Any] = field(default_factory=dict, hash=False)
    letter_received_at: datetime | None = None

    @property
    def letter_id(self) -> str:
        """The letter that it is, or would be."""
        if self.event is not None:
            return event_key(self.event.source, self.event.id)
        return hashlib.blake2b(_json(self.raw) or repr(self.raw).encode(), digest_size=16).hexdigest()


def received_request(headers: Mapping[str, str], body: bytes) -> Received:
    """What one request brought."""
    try:
        return Received(event=parse_event(headers, body))
    except EventFormError as error:
        named = {
            name: text for name, text in headers.items() if name in _KEPT_HEADERS or name.startswith("ce-")
        }
        return Received(event=None, problem=str(error), raw={"headers": named, **_kept_body(body)})


def received_value(value: Any) -> Received:
    """What one member of a batch is."""
    try:
        return Received(event=parse_structured(value))
    except EventFormError as error:
        return Received(event=None, problem=str(error), raw={"value": value})


def dead_letter(received: Received, refusal: Refusal, *, now: datetime, bot_id: str | None) -> DeadLetter:
    """The letter of what was not applied."""
    event = received.event
    payload = received.raw if event is None else structured_form(event)
    return DeadLetter(
        letter_id=received.letter_id,
        reason=refusal.reason,
        detail=refusal.detail[:_MOST_DETAIL],
        received_at=received.letter_received_at or now,
        payload=_fitting(payload),
        source=event.source if event else None,
        event_id=event.id if event else None,
        type=event.type if event else None,
        time=event.time if event else None,
        bot_id=bot_id,
    )


def received_again(letter: DeadLetter) -> Received:
    """What a letter holds, as it came.

    Raises:
        UnprocessableError: it was too large to be kept whole.
    """
    payload = letter.payload
    if "truncated" in payload:
        raise UnprocessableError("the event was too large or too deep to be kept whole: send it again")
    if letter.event_id is not None:
        found = received_value(payload)
    elif "value" in payload:
        found = received_value(payload["value"])
    else:
        found = received_request(payload["headers"], _body_of(payload))
    return Received(
        event=found.event, problem=found.problem, raw=found.raw, letter_received_at=letter.received_at
    )


def _kept_body(body: bytes) -> dict[str, Any]:
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode("ascii")}


def _body_of(payload: Mapping[str, Any]) -> bytes:
    if "text" in payload:
        return str(payload["text"]).encode()
    return base64.b64decode(payload["base64"])


def _fitting(payload: dict[str, Any]) -> dict[str, Any]:
    text = _json(payload)
    if text is not None and len(text) <= MOST_PAYLOAD:
        return payload
    beginning = (text or b"")[:MOST_PAYLOAD].decode(errors="replace")
    return {"truncated": beginning, "bytes": len(text or b"")}


def _json(value: Any) -> bytes | None:
    """The value as JSON; None when it is nested too deeply to be written."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return None
