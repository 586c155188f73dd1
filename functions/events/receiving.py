"""Events in: `POST /events`. What a repeat cannot mend is answered 2xx, so that it does not come for ever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from functions.events.desk import desk
from functions.events.intake import Taken
from functions.events.letters import Received, received_request, received_value
from functions.events.registry import HANDLERS
from shared.errors import TooLargeError
from shared.events.incoming import BATCH_MEDIA_TYPE, EventFormError, media_type_of, parse_batch
from shared.sessions.inbound_port import MOST_EVENTS
from shared.web.app import note
from shared.web.body import json_response, read_bytes
from shared.web.services import require_service

# Pub/Sub's largest message, in base64 with its envelope.
MAX_EVENT_BYTES = 14 * 1024 * 1024
_MOST_NOTED = 128


class EventAnswer(BaseModel):
    """What became of an event; of a batch, `results` holds one of these for each, in its order."""

    status: str
    reason: str | None = None


async def receive(request: Request) -> Response:
    """`POST /events`: one event, or a batch of them, acted upon before the answer.

    The answer's `status` says what became of it: `applied`, `duplicate`, an action's word, or why it was put
    with the dead letters. A passing failure of ours is 503, and the event comes again, or the whole batch.
    """
    await require_service(request)
    body = await read_bytes(request, limit=MAX_EVENT_BYTES)
    if media_type_of(request.headers) == BATCH_MEDIA_TYPE:
        return await _receive_batch(request, body)
    [taken] = await (await desk()).take_in([received_request(request.headers, body)])
    event = taken.received.event
    if event is not None:
        kind = event.type if event.type in HANDLERS else "other"
        note(request, event_type=kind, event_id=event.id[:_MOST_NOTED])
    note(request, event_status=taken.status)
    return json_response(answer_of(taken))


async def _receive_batch(request: Request, body: bytes) -> Response:
    try:
        values = parse_batch(body)
    except EventFormError:
        values, received = [None], [received_request(request.headers, body)]
    else:
        if len(values) > MOST_EVENTS:
            raise TooLargeError(f"a batch has at most {MOST_EVENTS} events", limit=MOST_EVENTS)
        received = [received_value(value) for value in values]
    taken = await (await desk()).take_in(received)
    note(request, events=len(taken), event_status=dict(Counter(each.status for each in taken)))
    results = [
        _named(each.received, value) | answer_of(each) for each, value in zip(taken, values, strict=True)
    ]
    return json_response({"results": results})


def answer_of(taken: Taken) -> dict[str, Any]:
    """What became of an event, on the wire."""
    return {"status": taken.status} | ({"reason": taken.reason} if taken.reason is not None else {})


def _named(received: Received, value: Any) -> dict[str, Any]:
    if received.event is not None:
        return {"id": received.event.id, "source": received.event.source}
    found = value if isinstance(value, Mapping) else {}
    return {name: found[name] if isinstance(found.get(name), str) else None for name in ("id", "source")}
