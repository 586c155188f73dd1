"""The handlers of the tool routes."""

from __future__ import annotations

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import Response

from functions.tools.wire import CallBody, result_wire, spec_wire
from shared.errors import InvalidRequestError, SessionConflictError, SessionNotFoundError
from shared.ids import new_id
from shared.keys import SessionKey
from shared.messages import ToolCall
from shared.resources import resources
from shared.web.app import note
from shared.web.body import int_parameter, json_response, read_json


async def list_tools(request: Request) -> Response:
    """`GET /tools`."""
    await resources().authenticator.user_of(request)
    runner = await resources().tools()
    return json_response([spec_wire(spec) for spec in await runner.catalogue()])


async def call_tool(request: Request) -> Response:
    """`POST /tools/{name}`."""
    body = await read_json(request, CallBody)
    user_id = await resources().authenticator.user_of(request, body.user_id)
    session = SessionKey(user_id=user_id, session_id=body.session_id) if body.session_id else None
    call = ToolCall(id=body.call_id or new_id(), name=request.path_params["name"], arguments=body.arguments)
    if session is not None:
        await ensure_session(session)
    # Only who chose the id can repeat the call: for others there is nothing to remember.
    once = session is not None and body.call_id is not None
    runner = await (resources().tools_once() if once else resources().tools())
    result = await runner.run(call=call, session=session, origin=body.origin)
    resources().telemetry.tool(result.name, result.status, "direct")
    note(request, tool=result.name, call_id=result.id, tool_status=result.status)
    return json_response(result_wire(result))


async def search_docs(request: Request) -> Response:
    """`GET /api/docs/search`."""
    from shared.tools.documentation.consult import search

    query = request.query_params.get("q", "")
    if not query.strip():
        raise InvalidRequestError("q: is required")
    limit = int_parameter(request, "limit", 5, low=1, high=20)
    found = await search(resources().settings, query, limit)
    return json_response(asdict(found.value))


async def raw_page(request: Request) -> Response:
    """`GET /api/docs/raw/{path}`: a page as Markdown, where search results' `url` leads."""
    from shared.tools.documentation.consult import find_page

    found = await find_page(resources().settings, request.path_params["path"])
    return Response(found.value.body, media_type="text/markdown; charset=utf-8")


async def ensure_session(key: SessionKey) -> None:
    """Creates the session when the caller has none of that id: an assistant's first call begins one."""
    store = await resources().store()
    try:
        await store.load_session(key=key)
    except SessionNotFoundError:
        try:
            await store.create_session(key=key, title="", context={}, now=resources().clock())
        except SessionConflictError:
            # Made by another call in between, or deleted: only the first can be read.
            await store.load_session(key=key)
