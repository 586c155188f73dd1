"""Models on the users' own keys: one open client a user, the least used closed when there are many."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import cast

from shared.errors import ModelKeyRefusedError
from shared.model.port import ChatModel, ModelChunk, ModelRequest

_log = logging.getLogger(__name__)


class OwnModels:
    """Opens a model for a user's key and keeps it for that user's next turns.

    At most `most` stay open, more only while calls run on all of them.
    """

    def __init__(self, open_model: Callable[[str], ChatModel], *, most: int = 32) -> None:
        self._open_model = open_model
        self._most = most
        self._clients: OrderedDict[str, _Client] = OrderedDict()
        self._closing: set[asyncio.Task[None]] = set()

    def of(self, user_id: str, key: str) -> ChatModel:
        """The user's model on this key; it is closed here, in time."""
        return _OwnModel(self, user_id, key, self._client(user_id, key).model.name)

    def forget(self, user_id: str) -> None:
        """Closes the user's client, when the calls that run on it have ended."""
        client = self._clients.pop(user_id, None)
        if client is not None:
            self._drop(client)

    async def close(self) -> None:
        """Closes every client."""
        for user_id in list(self._clients):
            self.forget(user_id)
        while self._closing:
            await asyncio.wait(self._closing)

    def borrow(self, user_id: str, key: str) -> _Client:
        """The user's client, kept open until it is given back."""
        client = self._client(user_id, key)
        client.calls += 1
        return client

    def give_back(self, client: _Client) -> None:
        """Ends a borrowing."""
        client.calls -= 1
        if client.is_dropped:
            self._drop(client)

    def _client(self, user_id: str, key: str) -> _Client:
        digest = hashlib.sha256(key.encode()).digest()
        client = self._clients.get(user_id)
        if client is None or client.digest != digest:
            self.forget(user_id)
            self._make_room()
            client = self._clients[user_id] = _Client(self._open_model(key), digest)
        self._clients.move_to_end(user_id)
        return client

    def _make_room(self) -> None:
        idle = [user_id for user_id, client in self._clients.items() if not client.calls]
        for user_id in idle[: max(0, len(self._clients) + 1 - self._most)]:
            self.forget(user_id)

    def _drop(self, client: _Client) -> None:
        client.is_dropped = True
        if client.calls == 0:
            task = asyncio.ensure_future(client.model.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


class _Client:
    """An open model, how many calls run on it, and whether it is to be closed after them."""

    def __init__(self, model: ChatModel, digest: bytes) -> None:
        self.model = model
        self.digest = digest
        self.calls = 0
        self.is_dropped = False


class _OwnModel:
    """A ChatModel on one user's key; the client behind it may come and go between calls."""

    def __init__(self, models: OwnModels, user_id: str, key: str, name: str) -> None:
        self._models = models
        self._user_id = user_id
        self._key = key
        self._name = name

    @property
    def name(self) -> str:
        """The model used when a request names none."""
        return self._name

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelChunk]:
        """See ChatModel."""
        client = self._models.borrow(self._user_id, self._key)
        try:
            # The port promises no more than an iterator that can be closed.
            stream = cast(AsyncGenerator[ModelChunk], client.model.stream(request))
            async with aclosing(stream):
                async for chunk in stream:
                    yield chunk
        except ModelKeyRefusedError as error:
            raise ModelKeyRefusedError(
                "The model's service does not accept your own model key; store another one, or delete it.",
                **error.details,
            ) from error
        finally:
            self._models.give_back(client)

    async def close(self) -> None:
        """Nothing: the client is kept for the user's next turn."""
