"""What is Pub/Sub's own of the publisher: topics, ordering keys, attributes, its end and return."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.errors import PublishError
from shared.events.pubsub import PubSubPublisher
from tests.servers.pubsub import EVENTS_TOPIC, PROJECT, RESUME_TOPIC, PubSubServer
from tests.shared.events.sample import cloud


@pytest.fixture
async def publisher(pubsub: PubSubServer) -> AsyncIterator[PubSubPublisher]:
    made = PubSubPublisher(
        project=PROJECT,
        events_topic="agent-events",
        resume_topic="turn-resume",
        emulator_host=pubsub.host,
    )
    yield made
    await made.close()


async def test_a_message_has_the_contracts_body_and_the_events_attributes(
    pubsub: PubSubServer, publisher: PubSubPublisher
) -> None:
    assert (await publisher.publish((cloud(0),))).error is None
    (message,) = pubsub.messages()
    assert message.body == {
        "type": "ai.turn.completed",
        "timestamp": "2026-11-22T19:30:00Z",
        "data": {"session_id": "s", "n": 0},
    }
    assert message.ordering_key == "s"
    assert message.attributes == {
        "ce-id": "s-0",
        "ce-source": "urn:the0:agent",
        "ce-specversion": "1.0",
        "ce-subject": "s",
        "ce-time": "2026-11-22T19:30:00Z",
        "ce-type": "ai.turn.completed",
        "content-type": "application/json",
    }


async def test_what_is_for_the_agent_has_a_topic_of_its_own(
    pubsub: PubSubServer, publisher: PubSubPublisher
) -> None:
    events = (cloud(0), cloud(1, event_type="turn.resume"), cloud(2))
    assert (await publisher.publish(events)).accepted == {"s-0", "s-1", "s-2"}
    assert [each.attributes["ce-id"] for each in pubsub.messages(EVENTS_TOPIC)] == ["s-0", "s-2"]
    (resume,) = pubsub.messages(RESUME_TOPIC)
    assert (resume.attributes["ce-type"], resume.ordering_key) == ("turn.resume", "")


async def test_a_topic_that_is_missing_is_named_and_the_others_get_theirs(
    pubsub: PubSubServer, publisher: PubSubPublisher
) -> None:
    pubsub.topics.remove(RESUME_TOPIC)
    delivery = await publisher.publish((cloud(0), cloud(1, event_type="turn.resume")))
    assert delivery.accepted == {"s-0"}
    assert delivery.error is not None
    assert RESUME_TOPIC in delivery.error.message


async def test_it_is_asked_again_after_a_refusal_and_after_a_restart(
    pubsub: PubSubServer, publisher: PubSubPublisher
) -> None:
    pubsub.refusing = True
    refused = await publisher.publish((cloud(0), cloud(0, subject="t")))
    assert refused.accepted == frozenset()
    with pytest.raises(PublishError):
        await publisher.check()
    pubsub.refusing = False
    pubsub.stop()
    assert isinstance((await publisher.publish((cloud(0),))).error, PublishError)
    pubsub.start()
    assert (await publisher.publish((cloud(0), cloud(0, subject="t")))).accepted == {"s-0", "t-0"}
    await publisher.check()
    assert len(pubsub.messages()) == 2


async def test_without_credentials_events_wait(monkeypatch: pytest.MonkeyPatch, pubsub: PubSubServer) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere.json")
    publisher = PubSubPublisher(project=PROJECT, events_topic="a", resume_topic="b")
    delivery = await publisher.publish((cloud(0),))
    assert delivery.accepted == frozenset()
    assert isinstance(delivery.error, PublishError)
    await publisher.close()
