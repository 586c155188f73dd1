"""Serves an application by uvicorn in this process: HTTP, WebSockets, and an orderly end."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from shared.settings import Settings
from shared.web.body import MAX_JSON_BYTES

PING_SECONDS = 20.0
_HEAD_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
)


class AgentWebSocket(WebSocketsSansIOProtocol):
    """uvicorn's own, which lets no peer hold a connection for ever.

    One that no longer answers is cut off: closing waits until everything was sent, and to a peer that reads
    nothing that is never.
    """

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # A head with a line over 8 KiB is read no further, and uvicorn would leave its sender waiting.
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.transport.write(_HEAD_TOO_LARGE)
            self.transport.close()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()


class _Server(uvicorn.Server):
    """Says where it serves when it does, and lets go of open streams when it is told to stop."""

    def __init__(self, config: uvicorn.Config, banner: str, ending: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._banner = banner
        self._ending = ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            port = self.servers[0].sockets[0].getsockname()[1]
            sys.stdout.write(self._banner.format(port=port) + "\n")
            sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # First, so that open streams tell their readers how their turns ended.
        await self._ending()
        await super().shutdown(sockets=sockets)


def host_of(current: Settings) -> str:
    """The address to listen on: as set, else every one in the cloud and this machine's own elsewhere."""
    if current.k_service and "host" not in current.model_fields_set:
        # The platform connects from outside the container.
        return "0.0.0.0"  # noqa: S104
    return current.host


def serve(
    app: ASGIApp,
    settings: Settings,
    *,
    host: str,
    banner: str,
    ending: Callable[[], Awaitable[None]],
    grace_seconds: int,
) -> int:
    """Serves until SIGINT or SIGTERM; the exit status, 0 when it has served.

    `banner` is printed when it serves, `{port}` filled in. `ending` runs first when it is to stop, then
    `grace_seconds` are left for what is still open.
    """
    config = uvicorn.Config(
        cast(Any, app),
        host=host,
        port=settings.port,
        log_config=None,
        access_log=False,
        lifespan="on",
        loop="uvloop",
        http="httptools",
        ws=AgentWebSocket,
        ws_max_size=MAX_JSON_BYTES,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        # A compressor costs each socket more memory than all the rest of it, for frames of a few words.
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=grace_seconds,
        server_header=False,
        backlog=4096,
    )
    server = _Server(config, banner, ending)
    # uvicorn raises the signal again when it has stopped: both ways of stopping end well.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    return 0 if server.started else 1
