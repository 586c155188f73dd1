"""The bridge of a deployment; adapters are imported only when chosen."""

from __future__ import annotations

from urllib.parse import urlsplit

from shared.clock import Clock
from shared.errors import BrokerUnavailableError
from shared.events.bridge.bridge import Bridge
from shared.events.bridge.port import Forwarder
from shared.events.select import nats_access
from shared.settings import Settings


def open_bridge(settings: Settings, clock: Clock) -> Bridge:
    """The bridge from NATS to Pub/Sub, or straight to the events function.

    Raises:
        BrokerUnavailableError: there is no NATS_URL.
    """
    if not settings.nats_servers:
        raise BrokerUnavailableError("there is no NATS to bridge: NATS_URL is not set")
    from shared.events.bridge.broker.nats import NatsBroker

    return Bridge(
        broker=NatsBroker(nats_access(settings)),
        forwarder=_forwarder(settings, clock),
        max_deliveries=settings.nats_max_deliveries,
    )


def _forwarder(settings: Settings, clock: Clock) -> Forwarder:
    if settings.pubsub_project is not None:
        from shared.events.bridge.forwarding import PublisherForwarder
        from shared.events.pubsub import PubSubPublisher

        return PublisherForwarder(
            PubSubPublisher(
                project=settings.pubsub_project,
                events_topic=settings.pubsub_platform_topic,
                resume_topic=settings.pubsub_resume_topic,
                emulator_host=settings.pubsub_emulator_host,
            )
        )
    from shared.events.bridge.forwarding import HttpForwarder
    from shared.web.service_token import service_credentials

    url = settings.own_events_url
    # Identity tokens are for a service, whatever its path.
    service = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    return HttpForwarder(url=url, credentials=service_credentials(settings, clock, url=service))
