"""What the bridge asks of the broker it takes messages from, and of whoever it hands events to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from shared.events.envelope import CloudEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One message of a stream. `stored_ns` is when the stream took it, in nanoseconds since 1970.

    `delivered` counts its deliveries, this one too. `handle` is the broker's own name of this delivery.
    """

    stream: str
    sequence: int
    stored_ns: int
    delivered: int
    subject: str
    headers: Mapping[str, str] = field(repr=False)
    data: bytes = field(repr=False)
    handle: str = field(repr=False)


class MessageSource(Protocol):
    """The bridge's durable consumer of one stream.

    Every method raises BrokerUnavailableError when the broker is away.
    """

    @property
    def stream(self) -> str:
        """The stream's name."""
        ...

    async def take(self, *, limit: int, seconds: float) -> tuple[Received, ...]:
        """Up to `limit` messages, none when nothing has come in `seconds`."""
        ...

    async def accept(self, messages: tuple[Received, ...]) -> None:
        """They are not to come again; returns when the broker has taken note."""
        ...

    async def again(self, messages: tuple[Received, ...], *, seconds: float) -> None:
        """They are to come again, after `seconds`."""
        ...

    async def working(self, messages: tuple[Received, ...]) -> None:
        """They are being worked on: their time to be acknowledged begins anew."""
        ...

    async def lag(self) -> int:
        """How many messages wait, or were delivered and are not acknowledged."""
        ...


class MessageBroker(Protocol):
    """The broker: connects at first use, and anew when the connection was lost."""

    async def sources(self) -> tuple[MessageSource, ...]:
        """A consumer of each stream that holds what the bridge listens to, made where it is not there.

        Also sees to it that a stream takes what no other takes. May be called at any time: what a platform
        deletes and makes again is found so.

        Raises:
            BrokerUnavailableError: it does not answer.
        """
        ...

    async def changed(self, *, seconds: float) -> None:
        """Returns when streams or consumers have changed, the connection is lost, or `seconds` are over."""
        ...

    async def close(self) -> None:
        """Lets go of the connection."""
        ...


class Forwarder(Protocol):
    """Whoever the events go to."""

    async def forward(self, events: tuple[CloudEvent, ...]) -> tuple[str | None, ...]:
        """Hands the events on together, and says of each in their order why it was refused for good.

        None says that it was accepted, and is kept by the receiver from now on.

        Raises:
            PublishError: it is not known that any was accepted; a repeat may help.
        """
        ...

    async def check(self) -> None:
        """Raises PublishError when the last that was heard of the receiver is a failure."""
        ...

    async def close(self) -> None:
        """Lets go of connections."""
        ...
