"""The contract of `EventPublisher`, over every destination, each a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from shared.errors import PublishError
from shared.events.envelope import CloudEvent
from shared.events.local import HttpPublisher
from shared.events.nats import NatsPublisher
from shared.events.nats_connection import NatsAccess
from shared.events.port import EventPublisher
from shared.events.pubsub import PubSubPublisher
from tests.servers.nats import NatsServer
from tests.servers.pubsub import PROJECT, RESUME_TOPIC, PubSubServer
from tests.servers.web_service import Asked, Said, WebService, web_service
from tests.shared.events.sample import cloud


@dataclass(slots=True)
class Destination:
    """A publisher, what its receiver has heard (ids in order), and how to take the receiver away and back."""

    publisher: EventPublisher
    type: str
    heard: Callable[[], Awaitable[list[str]]]
    go: Callable[[], Awaitable[None]]
    come_back: Callable[[], Awaitable[None]]

    def events(self, *numbers: int, subject: str = "s") -> tuple[CloudEvent, ...]:
        return tuple(cloud(number, subject=subject, event_type=self.type) for number in numbers)

    async def settle(self, events: tuple[CloudEvent, ...], seconds: float = 10) -> frozenset[str]:
        """Gives the events until all were accepted or one failed; those that were accepted."""
        accepted: frozenset[str] = frozenset()
        async with asyncio.timeout(seconds):
            while True:
                left = tuple(event for event in events if event.id not in accepted)
                delivery = await self.publisher.publish(left)
                accepted |= delivery.accepted
                if len(accepted) == len(events) or delivery.error is not None:
                    return accepted
                await asyncio.sleep(0.01)


@pytest.fixture
async def nats_destination(nats: NatsServer) -> AsyncIterator[Destination]:
    publisher = NatsPublisher(NatsAccess(servers=(nats.url,)))

    async def heard() -> list[str]:
        return [each.headers["ce-id"] for each in await nats.kept()]

    async def go() -> None:
        nats.kill()

    async def come_back() -> None:
        nats.start()

    yield Destination(publisher, "ai.turn.completed", heard, go, come_back)
    await publisher.close()


@pytest.fixture
async def pubsub_destination(pubsub: PubSubServer) -> AsyncIterator[Destination]:
    publisher = PubSubPublisher(
        project=PROJECT,
        events_topic="agent-events",
        resume_topic="turn-resume",
        emulator_host=pubsub.host,
    )

    async def heard() -> list[str]:
        return [each.attributes["ce-id"] for each in pubsub.messages()]

    async def go() -> None:
        pubsub.stop()

    async def come_back() -> None:
        pubsub.start()

    yield Destination(publisher, "ai.turn.completed", heard, go, come_back)
    await publisher.close()


@dataclass(slots=True)
class _Function:
    """An events function that takes what it is given, or answers as it is told."""

    status: int = 200
    ids: list[str] = field(default_factory=list)

    def answer(self, asked: Asked) -> Said:
        if self.status == 200:
            self.ids.append(asked.headers["ce-id"])
        return Said(status=self.status)


@pytest.fixture
async def function_destination() -> AsyncIterator[Destination]:
    function = _Function()
    async with web_service(function.answer) as service:
        publisher = HttpPublisher(url=f"{service.url}/events", credentials=None, seconds=5)

        async def heard() -> list[str]:
            return function.ids

        async def go() -> None:
            function.status = 503

        async def come_back() -> None:
            function.status = 200

        yield Destination(publisher, "turn.resume", heard, go, come_back)
        await publisher.close()


@pytest.fixture(params=["nats", "pubsub", "function"])
def destination(request: pytest.FixtureRequest) -> Destination:
    """Each destination with its server."""
    found: Destination = request.getfixturevalue(f"{request.param}_destination")
    return found


async def test_it_takes_its_types_only(destination: Destination) -> None:
    assert destination.publisher.takes(destination.type)
    assert destination.publisher.name


async def test_events_of_a_session_arrive_in_order(destination: Destination) -> None:
    mine, yours = destination.events(*range(8)), destination.events(*range(8), subject="t")
    mixed = tuple(event for pair in zip(mine, yours, strict=True) for event in pair)
    assert await destination.settle(mixed) == {event.id for event in mixed}
    heard = await destination.heard()
    assert [name for name in heard if name.startswith("s")] == [event.id for event in mine]
    assert [name for name in heard if name.startswith("t")] == [event.id for event in yours]


async def test_nothing_counts_as_accepted_while_the_receiver_is_away(destination: Destination) -> None:
    await destination.settle(destination.events(0))
    await destination.go()
    events = destination.events(1, 2)
    assert await destination.settle(events) == frozenset()
    with pytest.raises(PublishError):
        await destination.publisher.check()
    await destination.come_back()
    accepted: frozenset[str] = frozenset()
    async with asyncio.timeout(15):
        while len(accepted) < 2:
            left = tuple(event for event in events if event.id not in accepted)
            accepted |= await destination.settle(left)
    await destination.publisher.check()
    heard = await destination.heard()
    assert [name for n, name in enumerate(heard) if name not in heard[:n]] == ["s-0", "s-1", "s-2"]


async def test_a_repeat_goes_out_under_the_same_id(destination: Destination) -> None:
    events = destination.events(0, 1)
    await destination.settle(events)
    await destination.settle(events)
    assert set(await destination.heard()) == {"s-0", "s-1"}


async def test_closing_twice_and_before_use_does_no_harm(destination: Destination) -> None:
    await destination.publisher.close()
    await destination.settle(destination.events(0))
    await destination.publisher.close()
    await destination.publisher.close()


async def test_the_function_is_told_who_calls_and_what_it_is_about() -> None:
    async def credentials(user_id: str | None) -> dict[str, str]:
        assert user_id is None
        return {"authorization": "Bearer token"}

    def answer(asked: Asked) -> Said:
        return Said()

    async with web_service(answer) as service:
        publisher = HttpPublisher(url=f"{service.url}/events", credentials=credentials, seconds=5)
        event = cloud(0, event_type="turn.resume")
        await _until_accepted(publisher, event)
        (asked,) = service.asked
        assert (asked.method, asked.path, asked.json()) == ("POST", "/events", event.data)
        expected = {**event.attributes(), "authorization": "Bearer token", "content-type": "application/json"}
        assert expected.items() <= asked.headers.items()
        await publisher.close()


async def test_a_function_at_work_is_not_asked_twice_and_blocks_its_session_only() -> None:
    async with web_service(lambda asked: Said(hang=asked.headers["ce-id"] == "s-0")) as service:
        publisher = HttpPublisher(url=service.url, credentials=None, seconds=5)
        slow, behind = (cloud(number, event_type="turn.resume") for number in (0, 1))
        other = cloud(0, subject="t", event_type="turn.resume")
        accepted: frozenset[str] = frozenset()
        async with asyncio.timeout(10):
            while other.id not in accepted:
                delivery = await publisher.publish((slow, behind, other))
                assert delivery.error is None
                accepted |= delivery.accepted
                await asyncio.sleep(0.01)
        await _asked(service, 2)
        assert sorted(asked.headers["ce-id"] for asked in service.asked) == ["s-0", "t-0"]
        await publisher.close()


async def test_resumes_have_a_topic_of_their_own(
    pubsub_destination: Destination, pubsub: PubSubServer
) -> None:
    await pubsub_destination.settle((cloud(0, event_type="turn.resume"),))
    assert [each.attributes["ce-id"] for each in pubsub.messages(RESUME_TOPIC)] == ["s-0"]


async def _until_accepted(publisher: EventPublisher, event: CloudEvent) -> None:
    async with asyncio.timeout(10):
        while not (await publisher.publish((event,))).accepted:
            await asyncio.sleep(0.01)


async def _asked(service: WebService, count: int) -> None:
    async with asyncio.timeout(10):
        while len(service.asked) < count:
            await asyncio.sleep(0.01)
