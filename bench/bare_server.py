"""Contender `bare server`: what a server around google-genai costs when it keeps nothing.

POST /chat/stream with {"message"} -> a google-genai stream -> SSE lines. No state, no checks, no logs.
"""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from bench.bare_genai import open_client
from bench.prompt import MODEL, SYSTEM

if TYPE_CHECKING:
    from google.genai import Client


def bare_app(client: Client) -> Starlette:
    """The server's two routes."""
    from google.genai import types

    config = types.GenerateContentConfig(system_instruction=SYSTEM)

    async def lines(message: str) -> AsyncIterator[bytes]:
        stream = await client.aio.models.generate_content_stream(model=MODEL, contents=message, config=config)
        async for response in stream:
            if text := response.text:
                yield b"data: %b\n\n" % orjson.dumps({"type": "content", "content": text})
        yield b"data: [DONE]\n\n"

    async def chat(request: Request) -> Response:
        body = orjson.loads(await request.body())
        return StreamingResponse(lines(body["message"]), media_type="text/event-stream")

    async def live(request: Request) -> Response:
        return Response(b'{"status":"alive"}', media_type="application/json")

    return Starlette(
        routes=[Route("/chat/stream", chat, methods=["POST"]), Route("/health/live", live, methods=["GET"])]
    )


def main() -> None:
    """Serves until stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model-url", required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    uvicorn.run(
        bare_app(open_client(arguments.model_url)),
        host="127.0.0.1",
        port=arguments.port,
        loop="uvloop",
        http="httptools",
        log_level="critical",
        access_log=False,
        lifespan="off",
        backlog=4096,
    )


if __name__ == "__main__":
    main()
