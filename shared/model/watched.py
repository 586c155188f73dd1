"""The deployment's model with a memory of its last failure, for a health check that calls nothing."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import cast

from shared.errors import AppError
from shared.model.port import ChatModel, ModelChunk, ModelRequest

# Who asked in vain so long ago says nothing of now.
REMEMBERED_SECONDS = 60.0


class WatchedModel:
    """`ChatModel` over another."""

    def __init__(self, model: ChatModel, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._model = model
        self._monotonic = monotonic
        self._failed: tuple[float, str] | None = None

    @property
    def name(self) -> str:
        """The model used when a request names none."""
        return self._model.name

    @property
    def trouble(self) -> str | None:
        """The code of the last call's failure, while it was lately; None when the last one went well."""
        if self._failed is None or self._monotonic() - self._failed[0] > REMEMBERED_SECONDS:
            return None
        return self._failed[1]

    async def warm(self) -> None:
        """Makes it ready, where it takes time."""
        warm = getattr(self._model, "warm", None)
        if warm is not None:
            await warm()

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelChunk]:
        """See ChatModel."""
        chunks = cast(AsyncGenerator[ModelChunk], self._model.stream(request))
        try:
            async with aclosing(chunks):
                async for chunk in chunks:
                    self._failed = None
                    yield chunk
        except AppError as error:
            # A model that the request names wrongly is no trouble of the service's.
            if error.retryable:
                self._failed = (self._monotonic(), error.code)
            raise

    async def close(self) -> None:
        """See ChatModel."""
        await self._model.close()
