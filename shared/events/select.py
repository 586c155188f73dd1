"""Where a deployment's events go; adapters are imported only when chosen."""

from __future__ import annotations

from urllib.parse import urlsplit

from shared.clock import Clock
from shared.events.nats_connection import NatsAccess
from shared.events.port import EventPublisher
from shared.settings import Settings

# Over a turn's own time: the events function answers when a turn that it takes up has ended.
_MARGIN_SECONDS = 30.0


def open_publishers(settings: Settings, clock: Clock) -> tuple[EventPublisher, ...]:
    """Every destination that is configured; each connects at first use.

    What is for the agent itself goes by Pub/Sub where there is one, else straight to the events function.
    """
    found: list[EventPublisher] = []
    if settings.nats_servers:
        from shared.events.nats import NatsPublisher

        found.append(NatsPublisher(nats_access(settings)))
    if settings.pubsub_project is not None:
        from shared.events.pubsub import PubSubPublisher

        found.append(
            PubSubPublisher(
                project=settings.pubsub_project,
                events_topic=settings.pubsub_events_topic,
                resume_topic=settings.pubsub_resume_topic,
                emulator_host=settings.pubsub_emulator_host,
            )
        )
    else:
        from shared.events.local import HttpPublisher
        from shared.web.service_token import service_credentials

        url = settings.own_events_url
        # Identity tokens are for a service, whatever its path.
        service = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        found.append(
            HttpPublisher(
                url=url,
                credentials=service_credentials(settings, clock, url=service),
                seconds=settings.turn_timeout + _MARGIN_SECONDS,
                is_bus=waits_for_nobody(settings),
                is_own=settings.events_url is None,
            )
        )
    return tuple(found)


def nats_access(settings: Settings) -> NatsAccess:
    """Where NATS is, as the settings say."""
    return NatsAccess(
        servers=settings.nats_servers,
        ca_file=settings.nats_ca_file,
        credentials_file=settings.nats_credentials_file,
    )


def waits_for_nobody(settings: Settings) -> bool:
    """Whether there is no broker: events are marked as published, and nobody is in a hurry for them."""
    return not settings.nats_servers and settings.pubsub_project is None
