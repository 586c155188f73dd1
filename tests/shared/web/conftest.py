"""Fixtures of the web tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.servers.google_identity import GoogleIdentity, google_identity


@pytest.fixture
async def google() -> AsyncIterator[GoogleIdentity]:
    """Google's metadata server and key set."""
    async with google_identity() as opened:
        yield opened
