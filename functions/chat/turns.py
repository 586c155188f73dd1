"""The routes of turns: chat, stream, look up, take up, cancel."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from starlette.requests import Request
from starlette.responses import Response

from functions.chat.leaving import leave_of, unless_gone
from functions.chat.stream import KEEP_ALIVE_SECONDS, EventStream
from functions.chat.wire import ApprovalBody, ChatBody, chat_wire, saved_files, turn_wire
from shared.agent.engine import TurnEngine
from shared.agent.updates import START, Position, parse_position
from shared.errors import (
    AppError,
    InternalError,
    ModelRefusedError,
    ModelTimeoutError,
    ModelUnavailableError,
    RateLimitedError,
    SessionConflictError,
    StoreUnavailableError,
    UnprocessableError,
)
from shared.ids import new_id
from shared.keys import SessionKey
from shared.limits.streams import StreamPlace
from shared.limits.turns import rest_of_day
from shared.resources import resources
from shared.turn import Turn, TurnRequest
from shared.web.app import note
from shared.web.body import json_response, read_json
from shared.web.labels import OFFLINE

_MAX_IDEMPOTENCY_KEY = 255
# How a turn that failed answers a client that waited for it.
_FAILURES: dict[str, type[AppError]] = {
    error.code: error
    for error in (
        ModelUnavailableError,
        ModelTimeoutError,
        ModelRefusedError,
        RateLimitedError,
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
    body, user_id = await _message(request)
    async with stream_place(user_id) as place:
        engine, turn = await begin_turn(body, user_id=user_id, idempotency_key=_idempotency_key(request))
        _note_turn(request, turn)
        return _stream(engine, turn, place)


async def get_turn(request: Request) -> Response:
    """`GET /chat/turns/{turn_id}`."""
    user_id = await resources().authenticator.user_of(request)
    engine = await resources().engine()
    return json_response(turn_wire(await engine.load(user_id=user_id, turn_id=_turn_id(request))))


async def stream_turn(request: Request) -> Response:
    """`GET /chat/turns/{turn_id}/stream`: the rest of a stream after `Last-Event-ID`."""
    user_id = await resources().authenticator.user_of(request)
    after = _last_event(request) or START
    engine = await resources().engine()
    async with stream_place(user_id) as place:
        turn = await engine.load(user_id=user_id, turn_id=_turn_id(request))
        return _stream(engine, turn, place, after)


async def resume_turn(request: Request) -> Response:
    """`POST /chat/turns/{turn_id}/resume`: goes on with an interrupted turn; its stream."""
    user_id = await resources().authenticator.user_of(request)
    after = _last_event(request) or START
    engine = await resources().engine()
    async with stream_place(user_id) as place:
        turn = await engine.resume(user_id=user_id, turn_id=_turn_id(request))
        return _stream(engine, turn, place, after)


async def decide(request: Request) -> Response:
    """`POST /chat/turns/{turn_id}/approvals/{tool_call_id}`: the stream of the rest of the turn."""
    body = await read_json(request, ApprovalBody)
    user_id = await resources().authenticator.user_of(request, body.user_id)
    engine = await resources().engine()
    async with stream_place(user_id) as place:
        turn = await engine.decide(
            user_id=user_id,
            turn_id=_turn_id(request),
            call_id=request.path_params["tool_call_id"],
            approved=body.approved,
            unverified=body.unverified,
        )
        after = _last_event(request) or Position(len(turn.steps) - 1, 0)
        return _stream(engine, turn, place, after)


async def cancel_turn(request: Request) -> Response:
    """`POST /chat/turns/{turn_id}/cancel`."""
    user_id = await resources().authenticator.user_of(request)
    engine = await resources().engine()
    turn = await engine.cancel(user_id=user_id, turn_id=_turn_id(request))
    return json_response({"turn_id": turn.turn_id, "status": turn.status}, status=202)


async def _message(request: Request) -> tuple[ChatBody, str]:
    """The message of a chat request, and whose it is."""
    body = await read_json(request, ChatBody)
    check_message(body)
    return body, await resources().authenticator.user_of(request, body.user_id)


def check_message(body: ChatBody) -> None:
    """Raises UnprocessableError when the message says nothing."""
    if not body.message.strip():
        raise UnprocessableError("message: must say something")


async def begin_turn(body: ChatBody, *, user_id: str, idempotency_key: str | None) -> tuple[TurnEngine, Turn]:
    """The turn of a message, however it came: a new one, or the one its idempotency key began.

    Raises:
        RateLimitedError: the user's limits allow no more turns now.
        AppError: as `TurnEngine.begin`.
    """

    async def is_repeat() -> bool:
        store = await resources().store()
        return idempotency_key is not None and await store.knows_key(
            user_id=user_id, idempotency_key=idempotency_key, now=resources().clock()
        )

    await (await resources().turn_limits()).admit(user_id, is_repeat=is_repeat)
    engine = await resources().engine()
    turn = await engine.begin(
        key=SessionKey(user_id=user_id, session_id=body.session_id or new_id()),
        request=TurnRequest(
            message=body.message,
            enable_tools=body.enable_tools,
            context=body.context,
            model=body.model,
        ),
        if_busy=body.if_busy,
        idempotency_key=idempotency_key,
        body_hash=hashlib.sha256(
            orjson.dumps(body.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
        ).hexdigest(),
    )
    return engine, turn


async def _finished(request: Request) -> Turn:
    """The turn when it has ended; a failure becomes the error of its code."""
    body, user_id = await _message(request)
    engine, begun = await begin_turn(body, user_id=user_id, idempotency_key=_idempotency_key(request))
    _note_turn(request, begun)
    turn = await unless_gone(_at_its_end(engine, begun), request.receive, leave_of(begun))
    final = turn.final
    if final is not None and final.error is not None:
        kind = _FAILURES.get(final.code or "", InternalError)
        error = kind(
            final.error,
            retry_after=_retry_after(final.code),
            turn_id=turn.turn_id,
            session_id=turn.key.session_id,
        )
        if turn.status in ("cancelled", "interrupted"):
            error = SessionConflictError(final.error, turn_id=turn.turn_id)
        raise error
    return turn


async def _at_its_end(engine: TurnEngine, begun: Turn) -> Turn:
    """The turn when it has ended or pauses; one whose process dies meanwhile goes on in this one.

    Raises:
        ConflictError: the session has gone on without it.
    """
    user_id, turn_id = begun.key.user_id, begun.turn_id
    turn = await engine.wait(user_id=user_id, turn_id=turn_id)
    if turn.status == "interrupted" and turn.final is None:
        await engine.resume(user_id=user_id, turn_id=turn_id)
        turn = await engine.wait(user_id=user_id, turn_id=turn_id)
    return turn


def _note_turn(request: Request, turn: Turn) -> None:
    current = resources().settings
    model = turn.request.model or (current.gemini_model if current.provider == "gemini" else OFFLINE)
    note(request, session_id=turn.key.session_id, turn_id=turn.turn_id, model=model)


def _retry_after(code: str | None) -> float | None:
    """When a failure of that code is worth another try; a budget is new the next day of UTC."""
    if code == RateLimitedError.code:
        return rest_of_day(resources().clock())
    return None


@asynccontextmanager
async def stream_place(user_id: str) -> AsyncIterator[StreamPlace]:
    """A place among the user's open streams, which the stream that is made gives back at its end."""
    place = await (await resources().open_streams()).open(user_id)
    try:
        yield place
    except BaseException:
        await place.release()
        raise


def _stream(engine: TurnEngine, turn: Turn, place: StreamPlace, after: Position = START) -> EventStream:
    key = turn.key
    updates = engine.follow(
        user_id=key.user_id, turn_id=turn.turn_id, after=after, silence=KEEP_ALIVE_SECONDS
    )
    return EventStream(place.over(updates), key.session_id, leave=leave_of(turn))


def _last_event(request: Request) -> Position | None:
    last = request.headers.get("last-event-id")
    return parse_position(last) if last else None


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not 1 <= len(key) <= _MAX_IDEMPOTENCY_KEY:
        raise UnprocessableError(f"Idempotency-Key: 1 to {_MAX_IDEMPOTENCY_KEY} characters")
    return key


def _turn_id(request: Request) -> str:
    turn_id: str = request.path_params["turn_id"]
    return turn_id
