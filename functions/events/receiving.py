"""Events in: `POST /events`. What a repeat cannot mend is answered 2xx, so that it does not come for ever."""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.responses import Response

from functions.events.registry import HANDLERS
from shared.errors import AppError, UnprocessableError
from shared.events.envelope import CloudEvent
from shared.events.incoming import EventFormError, parse_event
from shared.web.app import note
from shared.web.body import json_response, parse, read_bytes
from shared.web.services import require_service

_log = logging.getLogger(__name__)

# Pub/Sub's largest message, in base64 with its envelope.
MAX_EVENT_BYTES = 14 * 1024 * 1024


async def receive(request: Request) -> Response:
    """`POST /events`: one event, acted upon before the answer.

    The answer's `status` says what became of it: the handler's word, `unknown_type` (kept in the log) or
    `malformed`. A passing failure of ours is 503, and the event comes again.
    """
    await require_service(request)
    body = await read_bytes(request, limit=MAX_EVENT_BYTES)
    try:
        event = parse_event(request.headers, body)
    except EventFormError as error:
        return _refused(request, str(error))
    note(request, event_type=event.type, event_id=event.id)
    try:
        return await _handled(request, event)
    except UnprocessableError as error:
        return _refused(request, error.message)


async def _handled(request: Request, event: CloudEvent) -> Response:
    handler = HANDLERS.get(event.type)
    if handler is None:
        _log.info("event of an unknown type", extra={"event_type": event.type, "event_id": event.id})
        return _answered(request, "unknown_type")
    data = parse(event.data, handler.data)
    try:
        return _answered(request, await handler.handle(event, data))
    except AppError as error:
        if error.retryable and error.http_status >= 500:
            raise
        _log.error("event not applied", extra={"event_type": event.type, "code": error.code})
        return _answered(request, error.code)


def _refused(request: Request, reason: str) -> Response:
    _log.error("malformed event", extra={"reason": reason, "request_id": request.scope["request_id"]})
    return _answered(request, "malformed", reason=reason)


def _answered(request: Request, status: str, **more: str) -> Response:
    note(request, event_status=status)
    return json_response({"status": status, **more})
