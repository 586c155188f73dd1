"""What the chat function serves."""

from __future__ import annotations

from functions.chat import sessions, turns
from functions.chat.wire import (
    ChatAnswer,
    ChatBody,
    MessageAnswer,
    NewSessionBody,
    SessionAnswer,
    TitleBody,
    TurnAnswer,
    WordAnswer,
)
from shared.web.endpoint import CURSOR, LIMIT, USER_ID, Endpoint, Query
from shared.web.system import SYSTEM_ROUTES, function_app

_TURN_ERRORS = (400, 401, 404, 409, 413, 415, 422, 429, 503, 504)
_READ_ERRORS = (400, 401, 404, 503)
_SSE = "text/event-stream"

ROUTES: tuple[Endpoint, ...] = (
    Endpoint(
        method="POST",
        path="/chat",
        handler=turns.chat,
        summary="Run a turn and answer when it has ended",
        body=ChatBody,
        answer=ChatAnswer,
        errors=_TURN_ERRORS,
    ),
    Endpoint(
        method="POST",
        path="/chat/stream",
        handler=turns.chat_stream,
        summary="Run a turn and stream it as it is made",
        body=ChatBody,
        media_type=_SSE,
        errors=_TURN_ERRORS,
    ),
    Endpoint(
        method="POST",
        path="/api/agent/chat",
        handler=turns.chat_with_artifacts,
        summary="Run a turn; artifacts come as objects",
        body=ChatBody,
        answer=ChatAnswer,
        errors=_TURN_ERRORS,
    ),
    Endpoint(
        method="GET",
        path="/chat/turns/{turn_id}",
        handler=turns.get_turn,
        summary="A turn as it stands",
        answer=TurnAnswer,
        query=(USER_ID,),
        errors=_READ_ERRORS,
    ),
    Endpoint(
        method="GET",
        path="/chat/turns/{turn_id}/stream",
        handler=turns.stream_turn,
        summary="The rest of a turn's stream after Last-Event-ID",
        media_type=_SSE,
        query=(USER_ID,),
        errors=_READ_ERRORS,
    ),
    Endpoint(
        method="POST",
        path="/chat/turns/{turn_id}/cancel",
        handler=turns.cancel_turn,
        summary="Stop a running turn and keep what it has",
        status=202,
        query=(USER_ID,),
        errors=(*_READ_ERRORS, 409),
    ),
    Endpoint(
        method="POST",
        path="/chat/sessions",
        handler=sessions.create_session,
        summary="Create a session",
        body=NewSessionBody,
        answer=SessionAnswer,
        status=201,
        errors=(400, 401, 409, 413, 415, 422, 503),
    ),
    Endpoint(
        method="GET",
        path="/chat/sessions",
        handler=sessions.list_sessions,
        summary="The user's sessions, newest first",
        answer=list[SessionAnswer],
        query=(USER_ID, LIMIT, CURSOR),
        errors=_READ_ERRORS,
    ),
    Endpoint(
        method="GET",
        path="/chat/sessions/{session_id}",
        handler=sessions.get_session,
        summary="A session with the newest page of its messages",
        query=(USER_ID, LIMIT, CURSOR),
        errors=_READ_ERRORS,
    ),
    Endpoint(
        method="GET",
        path="/chat/sessions/{session_id}/messages",
        handler=sessions.get_messages,
        summary="The messages of a session, newest page first",
        answer=list[MessageAnswer],
        query=(USER_ID, LIMIT, CURSOR),
        errors=_READ_ERRORS,
    ),
    Endpoint(
        method="PUT",
        path="/chat/sessions/{session_id}/title",
        handler=sessions.put_title,
        summary="Retitle a session",
        body=TitleBody,
        answer=WordAnswer,
        query=(USER_ID, Query(name="title", description="the title, in place of a body")),
        errors=(*_READ_ERRORS, 413, 415, 422),
    ),
    Endpoint(
        method="PATCH",
        path="/chat/sessions/{session_id}/context",
        handler=sessions.patch_context,
        summary="Change a session's context by JSON merge patch (RFC 7396)",
        query=(USER_ID,),
        errors=(*_READ_ERRORS, 413, 415, 422),
    ),
    Endpoint(
        method="DELETE",
        path="/chat/sessions/{session_id}",
        handler=sessions.delete_session,
        summary="Delete a session",
        answer=WordAnswer,
        query=(USER_ID,),
        errors=_READ_ERRORS,
    ),
    *SYSTEM_ROUTES,
)

app = function_app(ROUTES)
