"""Events to Google Pub/Sub: one topic for subscribers, one for our own events function.

One request publishes the events of one session that wait together, under the session as ordering key: Pub/Sub
takes one ordering key a request, and all of a request or none. The library's own batching client is not used:
with ordering keys it retries for ever, which would keep events in a process that may be killed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from shared.errors import PublishError
from shared.events.catalog import is_for_agent
from shared.events.envelope import CloudEvent, by_subject
from shared.events.port import Delivery
from shared.events.sending import sending_all

if TYPE_CHECKING:
    from google.pubsub_v1 import PublisherAsyncClient

CALL_SECONDS = 8.0
_AT_ONCE = 32


class PubSubPublisher:
    """`EventPublisher` over the library's asynchronous client, made at first use."""

    name = "pubsub"

    def __init__(
        self, *, project: str, events_topic: str, resume_topic: str, emulator_host: str | None = None
    ) -> None:
        self._events_topic = f"projects/{project}/topics/{events_topic}"
        self._resume_topic = f"projects/{project}/topics/{resume_topic}"
        self._emulator_host = emulator_host
        self._client: PublisherAsyncClient | None = None
        self._opening = asyncio.Lock()
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._last_error: PublishError | None = None

    def takes(self, event_type: str) -> bool:
        return True

    async def publish(self, events: tuple[CloudEvent, ...]) -> Delivery:
        try:
            client = await self._opened()
        except PublishError as error:
            self._last_error = error
            return Delivery(accepted=frozenset(), error=error)
        accepted: set[str] = set()
        errors = await asyncio.gather(
            *(self._request(client, topic, group, accepted) for topic, group in self._requests(events))
        )
        self._last_error = next((error for error in errors if error is not None), None)
        if self._last_error is not None:
            # A channel that failed for long waits up to two minutes before its next try: a new one does not.
            await self.close()
        return Delivery(accepted=frozenset(accepted), error=self._last_error)

    async def check(self) -> None:
        # Who may publish need not be allowed to ask for the topic: the last publish is what is known.
        if self._last_error is not None:
            raise self._last_error

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            # The library's own: it has no types.
            await client.transport.close()  # type: ignore[no-untyped-call]

    def _requests(self, events: tuple[CloudEvent, ...]) -> Iterable[tuple[str, tuple[CloudEvent, ...]]]:
        for group in by_subject(events):
            for topic, ours in ((self._events_topic, False), (self._resume_topic, True)):
                part = tuple(event for event in group if is_for_agent(event.type) is ours)
                if part:
                    yield topic, part

    async def _request(
        self, client: PublisherAsyncClient, topic: str, events: tuple[CloudEvent, ...], accepted: set[str]
    ) -> PublishError | None:
        from google.api_core.exceptions import GoogleAPIError, NotFound
        from google.auth.exceptions import GoogleAuthError

        with sending_all(events, system="gcp_pubsub", to=topic.rpartition("/")[2]) as sent:
            request = {"topic": topic, "messages": [_message(event) for event, _ in sent]}
            try:
                async with self._slots:
                    await client.publish(request=request, retry=None, timeout=CALL_SECONDS)
            except (GoogleAPIError, GoogleAuthError) as error:
                for _, span in sent:
                    span.fail(type(error).__name__)
                if isinstance(error, NotFound):
                    return PublishError(f"Pub/Sub has no topic {topic}")
                return PublishError(f"Pub/Sub did not take events ({type(error).__name__})")
        accepted.update(event.id for event in events)
        return None

    async def _opened(self) -> PublisherAsyncClient:
        async with self._opening:
            if self._client is None:
                # The import takes a second, and credentials may be asked from the network.
                credentials = await asyncio.to_thread(_credentials, self._emulator_host)
                self._client = _client(self._emulator_host, credentials)
            return self._client


def _message(event: CloudEvent) -> dict[str, Any]:
    attributes = {**event.attributes(), "content-type": "application/json"}
    message: dict[str, Any] = {"data": event.body(), "attributes": attributes}
    if event.subject and not is_for_agent(event.type):
        message["ordering_key"] = event.subject
    return message


def _credentials(emulator_host: str | None) -> Any:
    """The process's own credentials; none are needed by an emulator."""
    # What the client needs is imported here, in a thread, too.
    import google.pubsub_v1  # noqa: F401
    from google.auth import default
    from google.auth.exceptions import GoogleAuthError

    if emulator_host is not None:
        return None
    try:
        return default()[0]
    except GoogleAuthError as error:
        raise PublishError("Pub/Sub needs credentials of Google Cloud") from error


def _client(emulator_host: str | None, credentials: Any) -> PublisherAsyncClient:
    from google.pubsub_v1 import PublisherAsyncClient

    if emulator_host is None:
        return PublisherAsyncClient(credentials=credentials)
    # This client does not read PUBSUB_EMULATOR_HOST by itself.
    from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport

    # grpc ships no types.
    from grpc.aio import insecure_channel  # type: ignore[import-untyped]

    return PublisherAsyncClient(
        transport=PublisherGrpcAsyncIOTransport(channel=insecure_channel(emulator_host))
    )
