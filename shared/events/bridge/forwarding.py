"""`Forwarder` to the events function over HTTP (a CloudEvents batch), and to Pub/Sub."""

from __future__ import annotations

from shared.errors import AppError, PublishError
from shared.events.envelope import CloudEvent
from shared.events.incoming import BATCH_MEDIA_TYPE, structured_form
from shared.events.port import EventPublisher
from shared.events.sending import sending_all
from shared.outbound import Answer, exchange
from shared.web.service_token import Credentials

FORWARD_SECONDS = 30.0
_MAX_ANSWER_BYTES = 4 * 1024 * 1024
# The request itself is at fault, not the receiver: with fewer events the rest may be taken.
_REFUSALS = frozenset({400, 413, 415, 422})


class HttpForwarder:
    """Posts batches to one URL; an event counts as accepted when the answer names it with a status."""

    def __init__(
        self, *, url: str, credentials: Credentials | None, seconds: float = FORWARD_SECONDS
    ) -> None:
        self._url = url
        self._credentials = credentials
        self._seconds = seconds
        self._last_error: PublishError | None = None

    async def forward(self, events: tuple[CloudEvent, ...]) -> tuple[str | None, ...]:
        try:
            answer = await self._ask(events)
            answers = _accepted(answer, events) if answer.status not in _REFUSALS else None
        except PublishError as error:
            self._last_error = error
            raise
        self._last_error = None
        if answers is not None:
            return answers
        if len(events) == 1:
            return (f"the events function answered {answer.status}",)
        half = len(events) // 2
        # The first half may be accepted when the second fails: then both come again, and it is a repeat.
        return (*await self.forward(events[:half]), *await self.forward(events[half:]))

    async def check(self) -> None:
        if self._last_error is not None:
            raise self._last_error

    async def close(self) -> None:
        """Each exchange has a connection of its own."""

    async def _ask(self, events: tuple[CloudEvent, ...]) -> Answer:
        headers = {"content-type": BATCH_MEDIA_TYPE}
        try:
            if self._credentials is not None:
                headers |= await self._credentials(None)
            with sending_all(events, system="http", to="events") as sent:
                return await exchange(
                    "POST",
                    self._url,
                    seconds=self._seconds,
                    max_bytes=_MAX_ANSWER_BYTES,
                    headers=headers,
                    content=[structured_form(event) for event, _ in sent],
                )
        except TimeoutError as error:
            raise PublishError("the events function did not answer in time") from error
        except AppError as error:
            raise PublishError(f"the events function was not reached: {error.message}") from error


class PublisherForwarder:
    """Publishes to a broker, all of a batch or none."""

    def __init__(self, publisher: EventPublisher) -> None:
        self._publisher = publisher

    async def forward(self, events: tuple[CloudEvent, ...]) -> tuple[str | None, ...]:
        delivery = await self._publisher.publish(events)
        if delivery.error is not None:
            raise PublishError(delivery.error.message)
        return (None,) * len(events)

    async def check(self) -> None:
        await self._publisher.check()

    async def close(self) -> None:
        await self._publisher.close()


def _accepted(answer: Answer, events: tuple[CloudEvent, ...]) -> tuple[None, ...]:
    """Raises PublishError unless the answer has a result for each event, in their order."""
    if answer.status != 200:
        raise PublishError(f"the events function answered {answer.status}", status=answer.status)
    try:
        named = [(result["source"], result["id"]) for result in answer.json()["results"] if result["status"]]
    except (ValueError, KeyError, TypeError):
        named = []
    if named != [(event.source, event.id) for event in events]:
        raise PublishError("the events function did not say what became of each event")
    return (None,) * len(events)
