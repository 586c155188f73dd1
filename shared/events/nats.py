"""Events to NATS: JetStream publishes to one subject, each awaited until a stream has stored it.

The event's id goes out as `Nats-Msg-Id`, so that the stream stores a repeat within its duplicate window once.
Where no stream takes the subject, one is made: what no stream keeps would be lost while nobody listens.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from shared.errors import PublishError
from shared.events.catalog import NATS_SUBJECT, is_for_agent
from shared.events.envelope import CloudEvent, by_subject
from shared.events.nats_connection import NatsAccess, connect, let_go
from shared.events.port import Delivery
from shared.events.sending import sending

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js import JetStreamContext

STREAM = "AI_AGENT"
ACK_SECONDS = 4.0
_KEPT_DAYS = 7
_DUPLICATE_WINDOW_SECONDS = 600.0
_AT_ONCE = 64
_JSON = "application/json"


class NatsPublisher:
    """`EventPublisher` over one connection, made at first use and made anew when it was lost."""

    name = "nats"

    def __init__(self, access: NatsAccess) -> None:
        self._access = access
        self._client: Client | None = None
        self._has_stream = False
        self._opening = asyncio.Lock()
        self._slots = asyncio.Semaphore(_AT_ONCE)

    def takes(self, event_type: str) -> bool:
        return not is_for_agent(event_type)

    async def publish(self, events: tuple[CloudEvent, ...]) -> Delivery:
        try:
            stream = await self._stream()
        except PublishError as error:
            return Delivery(accepted=frozenset(), error=error)
        accepted: set[str] = set()
        groups = by_subject(events)
        errors = await asyncio.gather(*(self._in_order(stream, group, accepted) for group in groups))
        return Delivery(
            accepted=frozenset(accepted), error=next((error for error in errors if error is not None), None)
        )

    async def check(self) -> None:
        await self._connected()

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await let_go(client)

    async def _in_order(
        self, stream: JetStreamContext, events: tuple[CloudEvent, ...], accepted: set[str]
    ) -> PublishError | None:
        """Sends one after another; the first that is not stored keeps back those behind it."""
        from nats.errors import Error
        from nats.js.errors import NoStreamResponseError

        async with self._slots:
            for each in events:
                with sending(each, system="nats", to=NATS_SUBJECT) as (event, span):
                    headers = {**event.attributes(), "Nats-Msg-Id": event.id, "content-type": _JSON}
                    try:
                        await stream.publish(NATS_SUBJECT, event.body(), timeout=ACK_SECONDS, headers=headers)
                    except (Error, OSError, ValueError) as error:
                        span.fail(type(error).__name__)
                        if isinstance(error, NoStreamResponseError):
                            # It was deleted under us: the next try makes it again.
                            self._has_stream = False
                            return PublishError("no stream of NATS takes our subject")
                        return PublishError(f"NATS did not take an event ({type(error).__name__})")
                accepted.add(event.id)
        return None

    async def _stream(self) -> JetStreamContext:
        client = await self._connected()
        stream: JetStreamContext = client.jetstream(timeout=ACK_SECONDS)
        if not self._has_stream:
            await self._ensure_stream(stream)
            self._has_stream = True
        return stream

    async def _ensure_stream(self, stream: JetStreamContext) -> None:
        from nats.errors import Error
        from nats.js.errors import APIError, NotFoundError

        try:
            try:
                await stream.find_stream_name_by_subject(NATS_SUBJECT)
            except NotFoundError:
                await self._make_stream(stream)
        except APIError as error:
            raise PublishError(f"NATS has no stream for our subject (code {error.err_code})") from error
        except (Error, OSError) as error:
            raise PublishError(f"NATS does not answer about streams ({type(error).__name__})") from error

    @staticmethod
    async def _make_stream(stream: JetStreamContext) -> None:
        from nats.js.errors import BadRequestError

        try:
            await stream.add_stream(
                name=STREAM,
                subjects=[NATS_SUBJECT],
                max_age=_KEPT_DAYS * 86_400,
                duplicate_window=_DUPLICATE_WINDOW_SECONDS,
            )
        except BadRequestError:
            # Another process made one in between; without that this raises, and so do we.
            await stream.find_stream_name_by_subject(NATS_SUBJECT)

    async def _connected(self) -> Client:
        async with self._opening:
            if self._client is None or not self._client.is_connected:
                await self.close()
                self._has_stream = False
                self._client = await connect(self._access)
            return self._client
