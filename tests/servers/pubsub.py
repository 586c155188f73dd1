"""A Pub/Sub server of the test's own over gRPC, in memory: topics, publishing, and HTTP push with retries.

Messages of one ordering key are pushed in their order, each when the one before it was acknowledged. A push
carries an identity token where `token` gives one.
"""

from __future__ import annotations

import base64
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

# grpc ships no types.
import grpc  # type: ignore[import-untyped]
import httpx
import orjson
from google.pubsub_v1 import types

from tests.servers.ports import free_port

PROJECT = "test-project"
EVENTS_TOPIC = f"projects/{PROJECT}/topics/agent-events"
RESUME_TOPIC = f"projects/{PROJECT}/topics/turn-resume"
# What Pub/Sub takes as an acknowledgement of a push.
ACKNOWLEDGED = {102, 200, 201, 202, 204}
_METHODS = {"CreateTopic": "Topic", "GetTopic": "GetTopicRequest", "Publish": "PublishRequest"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One published message, its body as JSON."""

    message_id: str
    topic: str
    attributes: dict[str, str]
    ordering_key: str
    data: bytes = field(repr=False)

    @property
    def body(self) -> Any:
        """The data as JSON."""
        return orjson.loads(self.data)

    def pushed(self, subscription: str, attempt: int) -> dict[str, Any]:
        """The body of a push request."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        message = {
            "data": base64.b64encode(self.data).decode(),
            "attributes": self.attributes,
            "messageId": self.message_id,
            "message_id": self.message_id,
            "publishTime": moment,
            "publish_time": moment,
        }
        if self.ordering_key:
            message["orderingKey"] = self.ordering_key
        return {"message": message, "subscription": subscription, "deliveryAttempt": attempt}


@dataclass(slots=True)
class Push:
    """A push subscription: each message is delivered until it is acknowledged, each ordering key in order."""

    topic: str
    endpoint: str
    deadline: float
    token: Callable[[], str] | None
    answers: list[tuple[str, int]] = field(default_factory=list)
    _closing: threading.Event = field(default_factory=threading.Event)
    _lines: dict[str, threading.Lock] = field(default_factory=dict)

    def deliver(self, message: Message) -> None:
        """Pushes one message until it is acknowledged or the subscription ends."""
        key = message.ordering_key or message.message_id
        with self._lines.setdefault(key, threading.Lock()):
            for attempt in itertools.count(1):
                if self._once(message, attempt) or self._closing.wait(min(0.1 * 2**attempt, 1)):
                    return

    def close(self) -> None:
        """Ends the retries."""
        self._closing.set()

    def _once(self, message: Message, attempt: int) -> bool:
        headers = {} if self.token is None else {"authorization": f"Bearer {self.token()}"}
        body = message.pushed(f"projects/{PROJECT}/subscriptions/push", attempt)
        try:
            with httpx.Client(trust_env=False, timeout=self.deadline) as client:
                status = client.post(self.endpoint, json=body, headers=headers).status_code
        except httpx.HTTPError:
            status = 0
        self.answers.append((message.message_id, status))
        return status in ACKNOWLEDGED


class PubSubServer:
    """The server; `refusing` makes it answer UNAVAILABLE, as when it is overloaded."""

    def __init__(self) -> None:
        self.port = free_port()
        self.refusing = False
        self.published: list[Message] = []
        self.topics: set[str] = {EVENTS_TOPIC, RESUME_TOPIC}
        self._ids = itertools.count(1)
        self._pushes: list[Push] = []
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(16)
        self._server: grpc.Server | None = None

    @property
    def host(self) -> str:
        """For PUBSUB_EMULATOR_HOST."""
        return f"127.0.0.1:{self.port}"

    def settings(self) -> dict[str, str]:
        """What an agent is told to publish here."""
        return {"PUBSUB_PROJECT": PROJECT, "PUBSUB_EMULATOR_HOST": self.host}

    def messages(self, topic: str = EVENTS_TOPIC) -> list[Message]:
        """What was published to a topic, in order."""
        with self._lock:
            return [message for message in self.published if message.topic == topic]

    def push(
        self, topic: str, endpoint: str, *, deadline: float = 30, token: Callable[[], str] | None = None
    ) -> Push:
        """Pushes what is published to the topic from now on to a URL."""
        push = Push(topic=topic, endpoint=endpoint, deadline=deadline, token=token)
        self._pushes.append(push)
        return push

    def redeliver(self, message: Message) -> None:
        """Delivers a message once more, as Pub/Sub may at any time."""
        for push in self._pushes:
            if push.topic == message.topic:
                self._pool.submit(push.deliver, message)

    def start(self) -> None:
        """Serves, on the same port each time, with the topics and messages it had."""
        server = grpc.server(ThreadPoolExecutor(8))
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(
                getattr(self, f"_{name.lower()}"),
                request_deserializer=getattr(types, kind).deserialize,
                response_serializer=lambda value: type(value).serialize(value),
            )
            for name, kind in _METHODS.items()
        }
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("google.pubsub.v1.Publisher", handlers),)
        )
        assert server.add_insecure_port(self.host) == self.port
        server.start()
        self._server = server

    def stop(self) -> None:
        """Cuts every connection."""
        if self._server is not None:
            self._server.stop(None).wait(5)
            self._server = None

    def close(self) -> None:
        """Ends it with its pushes."""
        for push in self._pushes:
            push.close()
        self.stop()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _createtopic(self, request: Any, context: Any) -> Any:
        if request.name in self.topics:
            context.abort(grpc.StatusCode.ALREADY_EXISTS, request.name)
        self.topics.add(request.name)
        return request

    def _gettopic(self, request: Any, context: Any) -> Any:
        if request.topic not in self.topics:
            context.abort(grpc.StatusCode.NOT_FOUND, request.topic)
        return types.Topic(name=request.topic)

    def _publish(self, request: Any, context: Any) -> Any:
        if self.refusing:
            context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        if request.topic not in self.topics:
            context.abort(grpc.StatusCode.NOT_FOUND, request.topic)
        if len({message.ordering_key for message in request.messages}) > 1:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "one ordering key a request")
        with self._lock:
            found = [self._kept(request.topic, message) for message in request.messages]
        for message in found:
            self.redeliver(message)
        return types.PublishResponse(message_ids=[message.message_id for message in found])

    def _kept(self, topic: str, message: Any) -> Message:
        kept = Message(
            message_id=str(next(self._ids)),
            topic=topic,
            attributes=dict(message.attributes),
            ordering_key=message.ordering_key,
            data=bytes(message.data),
        )
        self.published.append(kept)
        return kept


@contextmanager
def pubsub_server() -> Iterator[PubSubServer]:
    """A running server with the two topics of a deployment."""
    server = PubSubServer()
    server.start()
    try:
        yield server
    finally:
        server.close()
