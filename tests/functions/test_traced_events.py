"""An event goes out beneath its cause, and what hears of it goes on there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from functions.events.letters import Received
from functions.events.traced import place_of, processed, processing
from shared.errors import PublishError
from shared.events.envelope import CloudEvent
from shared.events.incoming import parse_event, structured_form
from shared.events.nats import NatsPublisher
from shared.events.nats_connection import NatsAccess
from shared.events.pubsub import PubSubPublisher
from shared.events.sending import sending_all
from shared.tracing.context import current, parse_traceparent
from shared.tracing.spans import Within
from tests.servers.nats import NatsServer
from tests.servers.pubsub import PROJECT, PubSubServer
from tests.shared.events.sample import cloud
from tests.shared.tracing.collecting import ELSEWHERE, PLACE, Kept, collecting

CAUSED = replace(cloud(0), traceparent=PLACE.traceparent)


def check_sent(span: Kept, headers: dict[str, str], system: str) -> None:
    assert (span.kind, span.parent, span.failed, span.ended) == ("producer", PLACE, None, True)
    assert span.attributes["messaging.system"] == system
    assert span.attributes["messaging.message.id"] == CAUSED.id
    assert headers["traceparent"] == headers["ce-traceparent"] == span.context.traceparent


async def test_to_nats_in_headers(nats: NatsServer) -> None:
    publisher = NatsPublisher(NatsAccess(servers=(nats.url,)))
    with collecting() as found:
        assert (await publisher.publish((CAUSED,))).error is None
        check_sent(found.one("send ai.turn.completed"), (await nats.kept())[0].headers, "nats")
    # Without a collector, the place of the cause itself goes out.
    assert (await publisher.publish((replace(cloud(1), traceparent=PLACE.traceparent),))).error is None
    assert (await nats.kept())[1].headers["traceparent"] == PLACE.traceparent
    await publisher.close()


async def test_to_pubsub_in_attributes_and_back_out_of_a_push(pubsub: PubSubServer) -> None:
    publisher = PubSubPublisher(
        project=PROJECT, events_topic="agent-events", resume_topic="turn-resume", emulator_host=pubsub.host
    )
    with collecting() as found:
        assert (await publisher.publish((CAUSED,))).error is None
        [message] = pubsub.messages()
        span = found.one("send ai.turn.completed")
        check_sent(span, message.attributes, "gcp_pubsub")
        pubsub.refusing = True
        assert isinstance((await publisher.publish((CAUSED,))).error, PublishError)
        assert found.spans[-1].failed
    pushed = parse_event({}, _json(message.pushed("projects/p/subscriptions/s", 1)))
    assert parse_traceparent(pushed.traceparent) == span.context
    await publisher.close()


def test_in_a_batch_each_has_its_own() -> None:
    others = replace(cloud(1), traceparent=ELSEWHERE.traceparent)
    with collecting() as found, sending_all((CAUSED, others, cloud(2)), system="http", to="events") as sent:
        assert [span.parent for span in found.spans] == [PLACE, ELSEWHERE, None]
        forms = [structured_form(event) for event, _ in sent]
        assert [form["traceparent"] for form in forms] == [span.context.traceparent for span in found.spans]


def test_the_extension_goes_before_a_header_that_a_proxy_may_have_changed() -> None:
    headers = {**CAUSED.attributes(), "traceparent": ELSEWHERE.traceparent}
    assert parse_event(headers, b"{}").traceparent == PLACE.traceparent


def received(event: CloudEvent | None) -> Received:
    return Received(event=event)


def test_what_is_heard_goes_on_beneath_its_cause_and_links_its_delivery() -> None:
    with collecting() as found, Within(ELSEWHERE):
        with processing([received(CAUSED)]) as [work]:
            inner = current()
            processed(work, "applied")
        span = found.one("process other")
        assert (span.kind, span.parent, span.links) == ("consumer", PLACE, (ELSEWHERE,))
        assert inner == span.context
        assert span.attributes["the0.event.status"] == "applied"
        assert current() == ELSEWHERE


def test_what_came_within_the_trace_is_beneath_its_delivery() -> None:
    delivery = replace(PLACE, span_id="c" * 16)
    with collecting() as found, Within(delivery), processing([received(CAUSED)]):
        assert (found.spans[0].parent, found.spans[0].links) == (delivery, ())


def test_each_of_a_batch_is_acted_upon_at_its_own_place() -> None:
    batch = [received(CAUSED), received(cloud(1)), received(None)]
    with collecting() as found, Within(ELSEWHERE), processing(batch) as spans:
        assert [span.parent for span in found.spans] == [PLACE, ELSEWHERE, ELSEWHERE]
        assert [place_of(*pair) for pair in zip(batch, spans, strict=True)] == [
            span.context for span in found.spans
        ]
        assert current() == ELSEWHERE
    with Within(ELSEWHERE), processing(batch) as spans:
        # Where nobody collects, the place is passed on all the same.
        places = [place_of(*pair) for pair in zip(batch, spans, strict=True)]
        assert places == [PLACE, ELSEWHERE, ELSEWHERE]


def _json(value: Any) -> bytes:
    import orjson

    return orjson.dumps(value)
