"""Pytest fixtures of the Gemini test server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.gemini import GeminiServer, gemini_server


@pytest.fixture
def gemini() -> Iterator[GeminiServer]:
    """A fresh server; the test fails when script and requests did not fit (`GeminiServer.verify`)."""
    with gemini_server() as server:
        yield server
    server.verify()
