"""Models whose calls are spans, by OpenTelemetry's conventions for generative AI; no word of what was said.

Source: OpenTelemetry semantic conventions 1.41, "Semantic conventions for generative client AI spans".
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import cast

from shared.model.port import ChatModel, ModelChunk, ModelDone, ModelRequest, ModelSource
from shared.tracing.port import Span
from shared.tracing.spans import begin_span, told


class TracedModels:
    """`ModelSource` over another; `provider` is who serves, by the conventions' names."""

    def __init__(self, models: ModelSource, *, provider: str) -> None:
        self._models = models
        self._provider = provider

    async def for_user(self, user_id: str) -> ChatModel:
        return TracedModel(await self._models.for_user(user_id), provider=self._provider)


class TracedModel:
    """`ChatModel` over another: a span for each call, from the question to the last of its reply."""

    def __init__(self, model: ChatModel, *, provider: str) -> None:
        self._model = model
        self._provider = provider

    @property
    def name(self) -> str:
        """The model used when a request names none."""
        return self._model.name

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelChunk]:
        """See ChatModel."""
        span = begin_span(
            f"chat {request.model}",
            "client",
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": self._provider,
                "gen_ai.request.model": request.model,
                "gen_ai.request.stream": True,
                "gen_ai.output.type": "text",
            },
        )
        span.set("gen_ai.request.max_tokens", request.max_output_tokens)
        chunks = cast(AsyncGenerator[ModelChunk], self._model.stream(request))
        try:
            async with aclosing(chunks):
                async for chunk in chunks:
                    if isinstance(chunk, ModelDone):
                        _done(span, chunk)
                    yield chunk
        except GeneratorExit:
            # Whoever asked wants no more of it.
            span.set("error.type", "cancelled")
            raise
        except BaseException as error:
            told(span, error)
            raise
        finally:
            span.end()

    async def close(self) -> None:
        """See ChatModel."""
        await self._model.close()


def _done(span: Span, done: ModelDone) -> None:
    span.set("gen_ai.response.model", done.model)
    span.set("gen_ai.response.finish_reasons", (done.finish_reason,))
    span.set("gen_ai.usage.input_tokens", done.usage.input_tokens)
    span.set("gen_ai.usage.output_tokens", done.usage.output_tokens)
