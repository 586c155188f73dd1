"""The real sandbox of this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.sandbox.select import ChosenSandbox, open_sandbox


@pytest.fixture
async def sandbox() -> AsyncIterator[ChosenSandbox]:
    """The strongest isolation that works here."""
    opened = open_sandbox()
    yield opened
    await opened.close()
