"""Fixtures that give a real Valkey."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.servers.valkey import ValkeyServer


@pytest.fixture
def valkey() -> Iterator[ValkeyServer]:
    """A Valkey of the test's own, which it may kill; it starts in a tenth of a second."""
    from tests.servers.valkey import valkey_server

    with valkey_server() as server:
        yield server
