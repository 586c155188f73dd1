"""What the relay asks of a destination of events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shared.errors import AppError
from shared.events.envelope import CloudEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of one batch: the ids that were accepted for good, and the error of the rest.

    An event neither accepted nor in error is still under way; it is to be given again to learn its end.
    """

    accepted: frozenset[str]
    error: AppError | None = None


class EventPublisher(Protocol):
    """One destination: a broker, or our own events function."""

    @property
    def name(self) -> str:
        """What it is called in logs."""
        ...

    def takes(self, event_type: str) -> bool:
        """Whether events of this type go there."""
        ...

    async def publish(self, events: tuple[CloudEvent, ...]) -> Delivery:
        """Sends the events, at most some thousand, in the order of each subject.

        An event is sent only when those before it in the batch with the same subject were accepted. One that
        was given before is the same event to the receiver: it goes out under the same id. Never raises for a
        destination that is down: that is the delivery's `error`, a PublishError.
        """
        ...

    async def check(self) -> None:
        """Returns when the destination answers; raises PublishError when it does not."""
        ...

    async def close(self) -> None:
        """Lets go of connections."""
        ...
