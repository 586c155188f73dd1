"""The routes of sessions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from functions.chat.activity import ActivityRule
from functions.chat.messages import messages_of
from functions.chat.wire import NewSessionBody, TitleBody, session_wire
from shared.errors import SessionNotFoundError, UnprocessableError
from shared.ids import new_id
from shared.keys import SessionKey
from shared.resources import resources
from shared.session import Session
from shared.web.app import note
from shared.web.body import (
    int_parameter,
    json_response,
    next_page,
    parse,
    read_json,
    read_json_object,
)

_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


async def create_session(request: Request) -> Response:
    """`POST /chat/sessions`."""
    body = await read_json(request, NewSessionBody)
    user_id = await resources().authenticator.user_of(request, body.user_id)
    store = await resources().store()
    session = await store.create_session(
        key=SessionKey(user_id=user_id, session_id=body.session_id or new_id()),
        title=body.title or "",
        context=body.context,
        now=resources().clock(),
    )
    note(request, session_id=session.key.session_id)
    return json_response({**session_wire(session), "context": session.context}, status=201)


async def list_sessions(request: Request) -> Response:
    """`GET /chat/sessions`."""
    user_id = await resources().authenticator.user_of(request)
    store = await resources().store()
    page = await store.list_sessions(
        user_id=user_id,
        limit=int_parameter(request, "limit", 50, low=1, high=200),
        cursor=request.query_params.get("cursor"),
    )
    return json_response(await _wires(page.items), headers=next_page(request, page.next_cursor))


async def get_session(request: Request) -> Response:
    """`GET /chat/sessions/{id}`: the session and the newest page of its messages."""
    key = await _key(request)
    store = await resources().store()
    session = await store.load_session(key=key)
    messages, headers = await _messages(request, key)
    [wire] = await _wires((session,))
    return json_response(
        {"session": {**wire, "context": session.whole_context}, "messages": messages},
        headers=headers,
    )


async def get_messages(request: Request) -> Response:
    """`GET /chat/sessions/{id}/messages`: newest page first, each page in the order they were said."""
    messages, headers = await _messages(request, await _key(request))
    return json_response(messages, headers=headers)


async def put_title(request: Request) -> Response:
    """`PUT /chat/sessions/{id}/title`: by JSON body or `?title=`."""
    asked = request.query_params.get("title")
    body = parse({"title": asked}, TitleBody) if asked is not None else await read_json(request, TitleBody)
    if body.title is None:
        raise UnprocessableError("title: give one, in the body or the query")
    key = await _key(request, body.user_id)
    store = await resources().store()
    await store.set_title(key=key, title=body.title, now=resources().clock())
    return json_response({"message": "Session title updated"})


async def patch_context(request: Request) -> Response:
    """`PATCH /chat/sessions/{id}/context`: JSON merge patch."""
    patch = await read_json_object(request)
    store = await resources().store()
    session = await store.patch_context(key=await _key(request), patch=patch, now=resources().clock())
    return json_response({**session_wire(session), "context": session.whole_context})


async def delete_session(request: Request) -> Response:
    """`DELETE /chat/sessions/{id}`."""
    store = await resources().store()
    await store.delete_session(key=await _key(request), now=resources().clock())
    return json_response({"message": "Session deleted"})


async def _wires(sessions: Sequence[Session]) -> list[dict[str, Any]]:
    """Sessions as JSON; one in which nothing happens any more is not active."""
    rule = ActivityRule.of(resources().settings)
    active = await rule.active(await resources().store(), sessions, resources().clock())
    return [{**session_wire(session), "is_active": session.key in active} for session in sessions]


async def _messages(request: Request, key: SessionKey) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """A page of messages; a turn, which is two of them, is never cut."""
    limit = int_parameter(request, "limit", 50, low=1, high=200)
    store = await resources().store()
    page = await store.list_turns(
        key=key, limit=max(1, limit // 2), cursor=request.query_params.get("cursor")
    )
    messages = [message for turn in reversed(page.items) for message in messages_of(turn)]
    return messages, next_page(request, page.next_cursor)


async def _key(request: Request, claimed: str | None = None) -> SessionKey:
    user_id = await resources().authenticator.user_of(request, claimed)
    session_id = request.path_params["session_id"]
    if not _SESSION_ID.fullmatch(session_id):
        raise SessionNotFoundError("there is no such session")
    note(request, session_id=session_id)
    return SessionKey(user_id=user_id, session_id=session_id)
