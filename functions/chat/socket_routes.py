"""Where sockets are served, and how they end with their process."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from functions.chat.agent_socket import FAREWELL_SECONDS, AgentSocket
from functions.chat.socket_caller import check_origin
from shared.errors import PermissionDeniedError
from shared.ids import new_id
from shared.resources import resources
from shared.tracing.context import incoming
from shared.tracing.spans import Within
from shared.web.errors import problem_response


class OpenSockets:
    """The sockets of this process."""

    def __init__(self) -> None:
        self._open: dict[AgentSocket, asyncio.Task[Any]] = {}

    async def serve(self, socket: WebSocket) -> None:
        """Serves one socket until it ends."""
        try:
            check_origin(socket, resources().settings)
        except PermissionDeniedError as error:
            path, request_id = socket.url.path, new_id()
            await socket.send_denial_response(problem_response(error, instance=path, request_id=request_id))
            return
        task = asyncio.current_task()
        assert task is not None
        opened = AgentSocket(socket)
        self._open[opened] = task
        try:
            # Its turns belong to the trace that the handshake was made in, if any.
            with Within(incoming(socket.scope["headers"])):
                await opened.serve()
        finally:
            del self._open[opened]

    async def close(self) -> None:
        """Lets every socket say what its turns have come to, and closes it with 1012; bounded in time."""
        tasks = list(self._open.values())
        await asyncio.gather(*(opened.farewell() for opened in list(self._open)))
        if tasks:
            await asyncio.wait(tasks, timeout=FAREWELL_SECONDS)


SOCKETS = OpenSockets()
ROUTE = WebSocketRoute("/ws/agent/{session_id}", SOCKETS.serve, name="agent")


def add_sockets(app: Starlette) -> None:
    """Adds the WebSocket to the chat function's application as functions-framework built it.

    The framework itself routes HTTP only: before its route for everything else, the socket has its own.
    """
    app.router.routes.insert(0, ROUTE)
