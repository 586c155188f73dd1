"""The routes of turns: chat, stream, look up, take up, cancel."""

from __future__ import annotations

import hashlib

import orjson
from starlette.requests import Request
from starlette.responses import Response

from functions.chat.stream import KEEP_ALIVE_SECONDS, EventStream
from functions.chat.wire import ChatBody, chat_wire, saved_files, turn_wire
from shared.agent.engine import TurnEngine
from shared.agent.updates import START, parse_position
from shared.errors import (
    AppError,
    InternalError,
    ModelRefusedError,
    ModelTimeoutError,
    ModelUnavailableError,
    SessionConflictError,
    StoreUnavailableError,
    UnprocessableError,
)
from shared.ids import new_id
from shared.keys import SessionKey
from shared.resources import resources
from shared.turn import Turn, TurnRequest
from shared.web.app import note
from shared.web.body import json_response, read_json

_MAX_IDEMPOTENCY_KEY = 255
# How a turn that failed answers a client that waited for it.
_FAILURES: dict[str, type[AppError]] = {
    error.code: error
    for error in (
        ModelUnavailableError,
        ModelTimeoutError,
        ModelRefusedError,
        StoreUnavailableError,
        SessionConflictError,
    )
}


async def chat(request: Request) -> Response:
    """`POST /chat`: the whole answer at once."""
    return json_response(chat_wire(await _finished(request)))


async def chat_with_artifacts(request: Request) -> Response:
    """`POST /api/agent/chat`: the same, with artifacts as objects."""
    turn = await _finished(request)
    wire = chat_wire(turn)
    saved = set(saved_files(turn))
    library = await resources().artifacts()
    listed = await library.list(session=turn.key) if saved else ()
    wire["artifacts"] = [artifact.wire() for artifact in listed if artifact.filename in saved]
    return json_response(wire)


async def chat_stream(request: Request) -> Response:
    """`POST /chat/stream`: the answer as it is made."""
    engine, turn = await _begun(request)
    updates = engine.follow(user_id=turn.key.user_id, turn_id=turn.turn_id, silence=KEEP_ALIVE_SECONDS)
    return EventStream(updates, turn.key.session_id)


async def get_turn(request: Request) -> Response:
    """`GET /chat/turns/{turn_id}`."""
    user_id = await resources().authenticator.user_of(request)
    engine = await resources().engine()
    return json_response(turn_wire(await engine.load(user_id=user_id, turn_id=_turn_id(request))))


async def stream_turn(request: Request) -> Response:
    """`GET /chat/turns/{turn_id}/stream`: the rest of a stream after `Last-Event-ID`."""
    user_id = await resources().authenticator.user_of(request)
    last = request.headers.get("last-event-id")
    after = parse_position(last) if last else START
    engine = await resources().engine()
    turn = await engine.load(user_id=user_id, turn_id=_turn_id(request))
    updates = engine.follow(user_id=user_id, turn_id=turn.turn_id, after=after, silence=KEEP_ALIVE_SECONDS)
    return EventStream(updates, turn.key.session_id)


async def cancel_turn(request: Request) -> Response:
    """`POST /chat/turns/{turn_id}/cancel`."""
    user_id = await resources().authenticator.user_of(request)
    engine = await resources().engine()
    turn = await engine.cancel(user_id=user_id, turn_id=_turn_id(request))
    return json_response({"turn_id": turn.turn_id, "status": turn.status}, status=202)


async def _begun(request: Request) -> tuple[TurnEngine, Turn]:
    """The turn of a chat request: a new one, or the one its Idempotency-Key began."""
    body = await read_json(request, ChatBody)
    if not body.message.strip():
        raise UnprocessableError("message: must say something")
    if body.if_busy != "reject":
        raise UnprocessableError("if_busy: takes reject")
    user_id = await resources().authenticator.user_of(request, body.user_id)
    engine = await resources().engine()
    turn = await engine.begin(
        key=SessionKey(user_id=user_id, session_id=body.session_id or new_id()),
        request=TurnRequest(
            message=body.message,
            enable_tools=body.enable_tools,
            context=body.context,
            model=body.model,
        ),
        idempotency_key=_idempotency_key(request),
        body_hash=hashlib.sha256(
            orjson.dumps(body.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
        ).hexdigest(),
    )
    note(request, session_id=turn.key.session_id, turn_id=turn.turn_id)
    return engine, turn


async def _finished(request: Request) -> Turn:
    """The turn when it has ended; a failure becomes the error of its code."""
    engine, begun = await _begun(request)
    turn = await engine.wait(user_id=begun.key.user_id, turn_id=begun.turn_id)
    final = turn.final
    if final is not None and final.error is not None:
        kind = _FAILURES.get(final.code or "", InternalError)
        error = kind(final.error, turn_id=turn.turn_id, session_id=turn.key.session_id)
        if turn.status in ("cancelled", "interrupted"):
            error = SessionConflictError(final.error, turn_id=turn.turn_id)
        raise error
    return turn


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not 1 <= len(key) <= _MAX_IDEMPOTENCY_KEY:
        raise UnprocessableError(f"Idempotency-Key: 1 to {_MAX_IDEMPOTENCY_KEY} characters")
    return key


def _turn_id(request: Request) -> str:
    turn_id: str = request.path_params["turn_id"]
    return turn_id
