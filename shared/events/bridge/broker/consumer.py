"""`MessageSource`: one durable pull consumer of JetStream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from shared.events.bridge.broker.errors import as_ours
from shared.events.bridge.port import Received

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext

CONSUMER = "the0-agent"
ACK_SECONDS = 4.0
# A message that is not acknowledged in this time comes again; while it is worked on, the time is renewed.
ACK_WAIT_SECONDS = 12.0
# What was delivered and waits to be acknowledged or to come again: the bound of what is under way.
MAX_ACK_PENDING = 5_000
_NANOSECONDS = 1_000_000_000
# `$JS.ACK.<stream>.<consumer>.<delivered>.<sequence>.…`; some servers put two words before the stream.
_OLD_TOKENS = 9


class NatsSource:
    """The consumer of one stream, over a connection of its broker's."""

    def __init__(self, client: Client, jetstream: JetStreamContext, stream: str) -> None:
        self.stream = stream
        self._client = client
        self._jetstream = jetstream
        self._subscription: Any = None

    async def take(self, *, limit: int, seconds: float) -> tuple[Received, ...]:
        from nats.errors import TimeoutError as NothingCame

        with as_ours():
            if self._subscription is None:
                self._subscription = await self._jetstream.pull_subscribe_bind(
                    consumer=CONSUMER, stream=self.stream
                )
            try:
                found = await self._subscription.fetch(limit, timeout=seconds)
            except (NothingCame, TimeoutError):
                return ()
            return tuple(_received(message) for message in found)

    async def accept(self, messages: tuple[Received, ...]) -> None:
        if not messages:
            return
        with as_ours():
            for message in messages[:-1]:
                await self._client.publish(message.handle)
            # NATS takes note of them in their order: its answer to the last is one for all.
            await self._client.request(messages[-1].handle, timeout=ACK_SECONDS)

    async def again(self, messages: tuple[Received, ...], *, seconds: float) -> None:
        order = b"-NAK " + orjson.dumps({"delay": int(seconds * _NANOSECONDS)})
        await self._tell(messages, order)

    async def working(self, messages: tuple[Received, ...]) -> None:
        await self._tell(messages, b"+WPI")

    async def lag(self) -> int:
        with as_ours():
            found = await self._jetstream.consumer_info(self.stream, CONSUMER)
        return (found.num_pending or 0) + (found.num_ack_pending or 0)

    async def _tell(self, messages: tuple[Received, ...], word: bytes) -> None:
        with as_ours():
            for message in messages:
                await self._client.publish(message.handle, word)


def _received(message: Msg) -> Received:
    tokens = message.reply.split(".")
    stream, _, delivered, sequence, _, stored = tokens[2:8] if len(tokens) == _OLD_TOKENS else tokens[4:10]
    return Received(
        stream=stream,
        sequence=int(sequence),
        stored_ns=int(stored),
        delivered=int(delivered),
        subject=message.subject,
        headers=message.headers or {},
        data=message.data,
        handle=message.reply,
    )
