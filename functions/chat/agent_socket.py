"""The WebSocket of a session: messages in, the chunks of their turns out, on the engine of the routes.

Each frame is a JSON object in text. In: `{"message": …}` with the other fields of `POST /chat` and an
`idempotency_key`, or `{"type": "auth", …}` (socket_caller.py). Out: the chunks of the event stream, each with
the `turn_id` it belongs to and, as `event_id`, the id that `Last-Event-ID` takes; then
`{"type": "response", "message", "session_id", "turn_id"}`. A message that is refused gets an `error` frame,
with its `idempotency_key` where it had one, and the socket stays open.

Sessions are made by `POST /chat` or `POST /chat/sessions`: one that the user does not have closes the socket
with 4004. A client that goes away does not stop its turns.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import Field
from starlette.websockets import WebSocket, WebSocketDisconnect

from functions.chat.leaving import leave_of
from functions.chat.socket_caller import SocketCaller
from functions.chat.stream import chunk_of
from functions.chat.turns import begin_turn, check_message, stream_place
from functions.chat.wire import ChatBody
from shared.agent.engine import TurnEngine
from shared.agent.updates import ContentUpdate, ErrorUpdate
from shared.errors import (
    AppError,
    InternalError,
    InvalidRequestError,
    PermissionDeniedError,
    RateLimitedError,
    SessionNotFoundError,
    UnauthenticatedError,
    UnavailableError,
    UnprocessableError,
)
from shared.ids import new_id
from shared.keys import SessionKey
from shared.limits.streams import StreamPlace
from shared.log_context import bound
from shared.resources import resources
from shared.turn import Turn
from shared.web.body import parse

UNKNOWN_SESSION, UNAUTHENTICATED, IDLE = 4004, 4401, 4008
# RFC 6455 and the IANA registry of close codes.
RESTART, TRY_AGAIN, OUR_FAULT = 1012, 1013, 1011
_GONE = 0
# How many messages of one socket may be running, in line or not yet looked at.
MAX_AT_ONCE = 16
AUTH_SECONDS = 10.0
# How long a socket without a user may wait for its first message to name one.
NAME_SECONDS = 1.0
# When the server ends: how long the last frames may take.
FAREWELL_SECONDS = 2.0

_log = logging.getLogger("request")


class SocketBody(ChatBody):
    """A message's frame."""

    idempotency_key: str | None = Field(default=None, min_length=1, max_length=255)


@dataclass(frozen=True, slots=True)
class _End:
    code: int
    reason: str = ""


class _EndedError(Exception):
    """The socket has ended; who notices stops."""


class AgentSocket:
    """One open socket: a reader, a worker that begins turns in the order of their messages, a task a stream.

    The reader always listens, as a peer's pongs are heard only then. Nothing is buffered for a slow peer but
    what the connection holds itself: a stream's task waits, and reads on in the turn's updates after.
    """

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._session_id: str = socket.path_params["session_id"]
        self._caller = SocketCaller(socket)
        self._idle_seconds = resources().settings.websocket_idle_seconds
        self._frames: asyncio.Queue[str] = asyncio.Queue()
        self._streams: dict[asyncio.Task[None], Turn] = {}
        self._users: set[str] = set()
        self._end: asyncio.Future[_End] = asyncio.get_running_loop().create_future()
        self._working = False
        self._closing = False
        self._active = time.monotonic()
        self._messages = 0

    async def serve(self) -> None:
        """Runs the socket to its end."""
        request_id, started = new_id(), time.perf_counter()
        with bound(request_id=request_id):
            await self._serve(started)

    async def _serve(self, started: float) -> None:
        tasks: set[asyncio.Task[None]] = set()
        try:
            await self._guarded(self._enter())
            if not self._end.done():
                tasks = {asyncio.create_task(self._guarded(part)) for part in (self._read(), self._work())}
            end = await self._end
            if end.code != _GONE:
                with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                    await self._socket.close(end.code, end.reason)
        finally:
            await self._abandon(tasks)
            _log.info(
                "socket",
                extra={
                    "session_id": self._session_id[:128],
                    "close_code": self._end.result().code if self._end.done() else None,
                    "messages": self._messages,
                    "duration_ms": round((time.perf_counter() - started) * 1000, 2),
                },
            )

    async def farewell(self) -> None:
        """Sends what the running streams still have, then closes: the server ends."""
        self._closing = True
        if self._streams:
            await asyncio.wait(self._streams, timeout=FAREWELL_SECONDS)
        self._finish(RESTART, "the server restarts")

    def _finish(self, code: int, reason: str = "") -> None:
        if not self._end.done():
            self._end.set_result(_End(code, reason))

    async def _guarded(self, part: Coroutine[Any, Any, None]) -> None:
        """Runs a part of the socket; what it raises ends the socket with the code that fits."""
        try:
            await part
        except (_EndedError, WebSocketDisconnect):
            self._finish(_GONE)
        except (UnauthenticatedError, PermissionDeniedError) as error:
            self._finish(UNAUTHENTICATED, error.code)
        except SessionNotFoundError as error:
            self._finish(UNKNOWN_SESSION, error.code)
        except UnavailableError as error:
            self._finish(TRY_AGAIN, error.code)
        # The border of the web, as shared/web/app.py is for requests.
        except Exception:  # noqa: BLE001
            _log.exception("socket failed")
            self._finish(OUR_FAULT, InternalError.code)

    async def _enter(self) -> None:
        """Finds out who is there and whether the session is theirs."""
        try:
            await self._socket.accept(subprotocol=self._caller.subprotocol)
        except OSError as error:
            raise _EndedError from error
        if self._caller.must_say_who:
            first = await self._first_frame(AUTH_SECONDS)
            frame = _object_of(first) if first is not None else {}
            if frame.get("type") != "auth":
                raise UnauthenticatedError("the first frame must be auth")
            await self._renew(frame)
        try:
            await self._check_session(await self._caller.user())
        except SessionNotFoundError:
            first = await self._first_frame(NAME_SECONDS) if self._caller.may_say_who else None
            if first is None:
                raise
            # Its user is looked at as that of every message.
            self._frames.put_nowait(first)

    async def _first_frame(self, seconds: float) -> str | None:
        try:
            async with asyncio.timeout(seconds):
                return await self._receive()
        except TimeoutError:
            return None

    async def _receive(self) -> str:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise _EndedError
        text: str | None = message.get("text")
        return "" if text is None else text

    async def _read(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._active + self._idle_seconds - time.monotonic()):
                    frame = await self._receive()
            except TimeoutError:
                if self._streams or self._working:
                    self._active = time.monotonic()
                elif time.monotonic() - self._active >= self._idle_seconds:
                    self._finish(IDLE, "nothing was said for a while")
                    return
                continue
            self._active = time.monotonic()
            # The one that is being begun has left the queue and has no stream yet.
            if len(self._streams) + self._frames.qsize() + self._working >= MAX_AT_ONCE:
                error = RateLimitedError(
                    f"at most {MAX_AT_ONCE} messages of one socket at once", retry_after=1
                )
                await self._send_error(error)
                continue
            self._frames.put_nowait(frame)

    async def _work(self) -> None:
        while True:
            self._working = False
            frame = await self._frames.get()
            self._working = True
            try:
                fields = _object_of(frame)
            except AppError as error:
                await self._send_error(error)
                continue
            if fields.get("type") == "auth":
                await self._renew(fields)
            else:
                await self._hear(fields)

    async def _renew(self, fields: dict[str, Any]) -> None:
        await self._caller.renew(fields)
        await self._send({"type": "authenticated", "session_id": self._session_id})

    async def _hear(self, fields: dict[str, Any]) -> None:
        """Begins the turn of a message; what only this message is to blame for becomes an error frame."""
        key = fields.get("idempotency_key")
        try:
            if self._closing:
                raise UnavailableError("the server restarts; connect again", retry_after=1)
            body = parse({**fields, "session_id": self._session_id}, SocketBody)
            check_message(body)
            user_id = await self._caller.user(body.user_id)
            await self._check_session(user_id)
            async with stream_place(user_id) as place:
                engine, turn = await begin_turn(body, user_id=user_id, idempotency_key=body.idempotency_key)
        except (UnauthenticatedError, PermissionDeniedError, SessionNotFoundError):
            raise
        except AppError as error:
            await self._send_error(error, idempotency_key=key if isinstance(key, str) else None)
            return
        self._messages += 1
        task = asyncio.create_task(self._guarded(self._tell(engine, turn, place)))
        self._streams[task] = turn
        task.add_done_callback(self._told)

    async def _check_session(self, user_id: str) -> None:
        if user_id in self._users:
            return
        store = await resources().store()
        await store.load_session(key=SessionKey(user_id=user_id, session_id=self._session_id))
        self._users.add(user_id)

    async def _tell(self, engine: TurnEngine, turn: Turn, place: StreamPlace) -> None:
        """The turn's chunks as they come, then its whole text; a turn that failed ends with its error."""
        about = {"turn_id": turn.turn_id}
        said: list[str] = []
        try:
            following = engine.follow(user_id=turn.key.user_id, turn_id=turn.turn_id)
            async for updates in place.over(following):
                for update in updates:
                    chunk = chunk_of(update, self._session_id)
                    await self._send({**chunk, **about, "event_id": str(update.at)})
                    if isinstance(update, ContentUpdate):
                        said.append(update.content)
                    elif isinstance(update, ErrorUpdate):
                        return
        except AppError as error:
            await self._send_error(error, **about)
            return
        await self._send(
            {"type": "response", "message": "".join(said), "session_id": self._session_id, **about}
        )

    def _told(self, task: asyncio.Task[None]) -> None:
        self._streams.pop(task, None)
        self._active = time.monotonic()

    async def _send_error(self, error: AppError, **about: str | None) -> None:
        frame: dict[str, Any] = {
            "type": "error",
            "session_id": self._session_id,
            "error": error.message,
            "code": error.code,
            "retryable": error.retryable,
        }
        if error.retry_after is not None:
            frame["retry_after"] = error.retry_after
        await self._send({**frame, **{name: value for name, value in about.items() if value is not None}})

    async def _send(self, frame: dict[str, Any]) -> None:
        try:
            await self._socket.send({"type": "websocket.send", "text": orjson.dumps(frame).decode()})
        except (WebSocketDisconnect, RuntimeError) as error:
            # The server may have ended the connection by itself, and takes a send after that for a mistake.
            raise _EndedError from error

    async def _abandon(self, tasks: set[asyncio.Task[None]]) -> None:
        """Stops telling; the turns go on, here or where the platform lets them."""
        turns = list(self._streams.values())
        for task in (*tasks, *self._streams):
            task.cancel()
        for turn in turns:
            if (leave := leave_of(turn)) is not None:
                await leave()


def _object_of(text: str) -> dict[str, Any]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise InvalidRequestError("a frame is a JSON object in text") from None
    if not isinstance(value, dict):
        raise UnprocessableError("a frame is a JSON object in text")
    return value
