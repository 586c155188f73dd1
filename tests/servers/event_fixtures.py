"""Fixtures that give real brokers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.servers.nats import NatsServer


@pytest.fixture
def nats() -> Iterator[NatsServer]:
    """A NATS server of the test's own, which it may kill; it starts in a twentieth of a second."""
    from tests.servers.nats import nats_server

    with nats_server() as server:
        yield server
