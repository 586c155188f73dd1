"""Gemini as a chat model, through google-genai: the Gemini API by key, or Vertex AI."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

from shared.errors import InternalError
from shared.ids import NewId, new_id
from shared.model.gemini_client import GeminiClient, GeminiEndpoint
from shared.model.gemini_errors import failures, to_app_error
from shared.model.gemini_reply import ReplyReader
from shared.model.gemini_request import checked_model_name, request_body
from shared.model.port import ModelChunk, ModelRequest
from shared.model.retry import Retries, RetryPolicy

_log = logging.getLogger(__name__)


class GeminiModel:
    """A ChatModel on Google's models; one a process, on the event loop of its first call.

    A tool call has the id Gemini gave it; where it gave none, one of ours, which is never sent to Gemini.
    A thought signature comes and goes with the part it was given with. Calls are retried by `policy` until
    the first chunk is handed out.
    """

    def __init__(
        self,
        *,
        api_key: str | None,
        model: str,
        base_url: str | None = None,
        vertexai: bool = False,
        project: str | None = None,
        location: str | None = None,
        credentials: Any = None,
        max_output_tokens: int | None = None,
        policy: RetryPolicy | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        make_id: NewId = new_id,
    ) -> None:
        """Nothing is imported or opened yet; see `warm`. `max_output_tokens`: where a request names none.

        Raises:
            ConfigurationError: neither a key nor Vertex AI is given.
        """
        self._endpoint = GeminiEndpoint(
            api_key=api_key,
            base_url=base_url,
            vertexai=vertexai,
            project=project,
            location=location,
            credentials=credentials,
        )
        self._model = model
        self._max_output_tokens = max_output_tokens
        self._retries = Retries(policy, sleep=sleep, chance=chance)
        self._new_id = make_id
        self._client: GeminiClient | None = None
        self._opening = asyncio.Lock()
        self._closed = False

    @property
    def name(self) -> str:
        """The model used when a request names none."""
        return self._model

    async def warm(self) -> None:
        """Imports the SDK and opens the client, so that the first turn does not wait for it.

        Raises:
            ModelRefusedError: Vertex AI finds no credentials.
        """
        try:
            await self._open()
        except asyncio.CancelledError:
            # Not to ask for `failures()`, which imports what another thread may be importing now.
            raise
        except failures() as failure:
            # See to_app_error for why the cause is not chained.
            raise to_app_error(failure, self._model) from None

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelChunk]:
        """See ChatModel."""
        model = checked_model_name(request.model or self._model)
        if request.max_output_tokens is None:
            request = replace(request, max_output_tokens=self._max_output_tokens)
        body = request_body(request)
        if self._client is None:
            # Importing the SDK is our time, not the model's: the deadline begins after it.
            await self.warm()
        deadline = asyncio.get_running_loop().time() + request.timeout
        attempt = 0
        while True:
            attempt += 1
            reply = ReplyReader(model=model, new_id=self._new_id)
            try:
                async with asyncio.timeout_at(deadline):
                    client = await self._open()
                async with client.call(model=model, body=body, deadline=deadline) as call:
                    while (response := await call.next()) is not None:
                        chunks = reply.read(response)
                        if request.tally is not None:
                            request.tally.usage = reply.usage
                        for chunk in chunks:
                            yield chunk
                    yield reply.done()
                return
            except (asyncio.CancelledError, GeneratorExit):
                raise
            except failures() as failure:
                error = to_app_error(failure, model)
                cause = type(failure).__name__
            _log.warning(
                "model call failed",
                extra={"model": model, "attempt": attempt, "code": error.code, "cause": cause},
            )
            if reply.started:
                raise error
            await self._retries.pause(
                error, attempt=attempt, deadline=deadline, max_attempts=request.max_attempts
            )

    async def close(self) -> None:
        """Lets go of connections; the model cannot be used afterwards."""
        self._closed = True
        async with self._opening:
            client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _open(self) -> GeminiClient:
        """The client, opened at first use."""
        if self._client is None:
            async with self._opening:
                if self._closed:
                    raise InternalError("the Gemini model is closed")
                if self._client is None:
                    self._client = await GeminiClient.open(self._endpoint)
        return self._client
