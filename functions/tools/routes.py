"""What the tools function serves."""

from __future__ import annotations

from functions.tools import handlers
from functions.tools.mcp_endpoint.endpoint import serve_mcp
from functions.tools.wire import CallAnswer, CallBody, SearchAnswer, SpecAnswer
from shared.web.endpoint import USER_ID, Endpoint, Query
from shared.web.system import SYSTEM_ROUTES, function_app

ROUTES: tuple[Endpoint, ...] = (
    Endpoint(
        method="GET",
        path="/tools",
        handler=handlers.list_tools,
        summary="The tool catalogue",
        answer=list[SpecAnswer],
        query=(USER_ID,),
        errors=(401,),
    ),
    Endpoint(
        method="POST",
        path="/tools/{name}",
        handler=handlers.call_tool,
        summary="Run a tool; one that fails answers status error",
        body=CallBody,
        answer=CallAnswer,
        query=(USER_ID,),
        errors=(400, 401, 404, 413, 415, 422, 503),
    ),
    Endpoint(
        method="GET",
        path="/api/docs/search",
        handler=handlers.search_docs,
        summary="Search the platform's documentation",
        answer=SearchAnswer,
        query=(
            Query(name="q", description="words, a question or an identifier", required=True),
            Query(
                name="limit",
                description="how many passages, at most",
                schema={"type": "integer", "minimum": 1, "maximum": 20, "default": 5},
            ),
        ),
        errors=(400, 422),
        public=True,
    ),
    Endpoint(
        method="GET",
        path="/api/docs/raw/{path:path}",
        handler=handlers.raw_page,
        summary="A page of the documentation as Markdown",
        media_type="text/markdown",
        errors=(404,),
        public=True,
    ),
    Endpoint(
        method="POST",
        path="/mcp",
        handler=serve_mcp,
        summary="Tools, documentation and files for assistants (MCP, Streamable HTTP)",
        query=(USER_ID,),
        errors=(400, 401, 403, 406, 413, 415, 503),
    ),
    *SYSTEM_ROUTES,
)

app = function_app(ROUTES, runs_code=True)
