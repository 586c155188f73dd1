"""`MessageBroker` over NATS JetStream: one connection, a durable consumer a stream, news of both."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from shared.events.bridge.broker.consumer import (
    ACK_WAIT_SECONDS,
    CONSUMER,
    MAX_ACK_PENDING,
    NatsSource,
)
from shared.events.bridge.broker.errors import as_ours
from shared.events.bridge.broker.streams import Streams
from shared.events.bridge.port import MessageSource
from shared.events.nats_connection import NatsAccess, connect, let_go

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext

API_SECONDS = 4.0
# What NATS tells of streams and consumers, and of every call about them: also of those it refused.
_NEWS = (
    "$JS.EVENT.ADVISORY.STREAM.CREATED.*",
    "$JS.EVENT.ADVISORY.STREAM.UPDATED.*",
    "$JS.EVENT.ADVISORY.STREAM.DELETED.*",
    "$JS.EVENT.ADVISORY.CONSUMER.DELETED.*.*",
)
_CALLS = "$JS.EVENT.ADVISORY.API"


class NatsBroker:
    """The broker of one process. A connection that was lost is made anew by the next call."""

    def __init__(self, access: NatsAccess) -> None:
        self._access = access
        self._client: Client | None = None
        self._streams = Streams()
        # One that was deleted and made again is another: who waits at the first waits in vain.
        self._sources: dict[tuple[str, datetime], NatsSource] = {}
        self._opening = asyncio.Lock()
        self._news = asyncio.Event()

    async def sources(self) -> tuple[MessageSource, ...]:
        with as_ours():
            client = await self._connected()
            jetstream: JetStreamContext = client.jetstream(timeout=API_SECONDS)
            found = await self._streams.found(jetstream)
            sources = {}
            for stream, subjects in found.items():
                made = await _ensure_consumer(jetstream, stream, subjects)
                if made is not None:
                    key = (stream, made)
                    sources[key] = self._sources.get(key) or NatsSource(client, jetstream, stream)
            self._sources = sources
        return tuple(sources.values())

    async def changed(self, *, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        self._news.clear()

    async def close(self) -> None:
        client, self._client = self._client, None
        self._sources = {}
        if client is not None:
            await let_go(client)

    async def _connected(self) -> Client:
        async with self._opening:
            if self._client is None or not self._client.is_connected:
                await self.close()
                self._client = await connect(self._access, gone=self._gone)
                # An account may be kept from listening here: then the next look finds what has changed.
                for subject in _NEWS:
                    await self._client.subscribe(subject, cb=self._heard)
                await self._client.subscribe(_CALLS, cb=self._heard_call)
            return self._client

    async def _gone(self) -> None:
        self._news.set()

    async def _heard(self, message: Msg) -> None:
        self._news.set()

    async def _heard_call(self, message: Msg) -> None:
        if self._streams.refused(message.data):
            self._news.set()


async def _ensure_consumer(
    jetstream: JetStreamContext, stream: str, subjects: tuple[str, ...]
) -> datetime | None:
    """When the consumer was made, which reads all that the stream holds; it stays as far as it has come."""
    from nats.js.errors import NotFoundError

    # A stream that was deleted since it was listed comes back with the next look, or does not.
    with suppress(NotFoundError):
        found = await jetstream.add_consumer(
            stream,
            durable_name=CONSUMER,
            filter_subjects=list(subjects) or None,
            ack_wait=ACK_WAIT_SECONDS,
            max_ack_pending=MAX_ACK_PENDING,
            # Ours is the count of failures: the broker's would drop what nobody could take for a while.
            max_deliver=-1,
        )
        return found.created
    return None
