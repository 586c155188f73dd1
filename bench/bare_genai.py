"""Contender `google-genai`: a process that makes the calls itself, without a server around them."""

from __future__ import annotations

import argparse
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from bench.callers import Caller, Sample
from bench.prompt import MESSAGE, MODEL, SYSTEM
from bench.worker import serve

if TYPE_CHECKING:
    from google.genai import Client
    from google.genai.types import Content, GenerateContentResponse


class GenaiCaller:
    """Turns made by google-genai's async streaming call, with one client for the process."""

    def __init__(self, client: Client) -> None:
        from google.genai import types

        self._client = client
        self._config = types.GenerateContentConfig(system_instruction=SYSTEM)
        self._histories: dict[int, list[Content]] = {}
        self._held: list[AsyncIterator[GenerateContentResponse]] = []

    async def turn(self, client: int, *, fresh: bool) -> Sample:
        """See Caller."""
        from google.genai import types

        if fresh:
            self._histories[client] = []
        history = self._histories[client]
        history.append(types.Content(role="user", parts=[types.Part(text=MESSAGE)]))
        words: list[str] = []
        first = 0.0
        started = time.perf_counter()
        try:
            async for response in await self._stream(history):
                if text := response.text:
                    first = first or time.perf_counter()
                    words.append(text)
        # Whatever goes wrong is counted by its name, not followed.
        except Exception as error:  # noqa: BLE001
            return Sample(0.0, 0.0, type(error).__name__)
        ended = time.perf_counter()
        history.append(types.Content(role="model", parts=[types.Part(text="".join(words))]))
        return Sample(first - started, ended - started, "" if first else "no text")

    async def hold(self, client: int) -> None:
        """See Caller."""
        from google.genai import types

        stream = await self._stream([types.Content(role="user", parts=[types.Part(text=MESSAGE)])])
        await anext(stream)
        self._held.append(stream)

    async def _stream(self, history: list[Content]) -> AsyncIterator[GenerateContentResponse]:
        return await self._client.aio.models.generate_content_stream(
            model=MODEL,
            contents=history,
            config=self._config,
        )


def open_client(base_url: str) -> Client:
    """A google-genai client as its documentation makes it; it takes aiohttp where that is installed."""
    from google.genai import Client, types

    return Client(api_key="bench-key", http_options=types.HttpOptions(base_url=base_url))


def main() -> None:
    """Makes turns on command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model-url", required=True)
    arguments = parser.parse_args()

    async def opened() -> Caller:
        return GenaiCaller(open_client(arguments.model_url))

    serve(opened)


if __name__ == "__main__":
    main()
