"""The server's side of a WebSocket whose peer has stopped reading."""

from __future__ import annotations

import asyncio

import uvicorn
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect

from shared.web.serving import AgentWebSocket


async def test_a_peer_that_reads_nothing_is_cut_off() -> None:
    ended: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    async def talker(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        try:
            while True:
                await send({"type": "websocket.send", "text": "x" * 100_000})
                await asyncio.sleep(0)
        # uvicorn raises the one or the other, as the connection is going or gone.
        except (OSError, RuntimeError) as error:
            ended.set_result(error)

    config = uvicorn.Config(
        talker,
        port=0,
        lifespan="off",
        log_config=None,
        ws=AgentWebSocket,
        ws_ping_interval=0.1,
        ws_ping_timeout=0.1,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(20):
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}", proxy=None, max_size=None, close_timeout=0) as silent:
            silent.transport.pause_reading()
            await ended
            silent.transport.abort()
        assert not server.server_state.connections
        server.should_exit = True
        await serving
