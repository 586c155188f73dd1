"""Fixtures that give real brokers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.servers.nats import NatsServer
    from tests.servers.pubsub import PubSubServer


@pytest.fixture
def nats() -> Iterator[NatsServer]:
    """A NATS server of the test's own, which it may kill; it starts in a twentieth of a second."""
    from tests.servers.nats import nats_server

    with nats_server() as server:
        yield server


@pytest.fixture
def pubsub() -> Iterator[PubSubServer]:
    """A Pub/Sub server of the test's own, with the two topics of a deployment."""
    from tests.servers.pubsub import pubsub_server

    with pubsub_server() as server:
        yield server
