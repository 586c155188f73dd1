"""Deployments of engines for the tests of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.servers.gemini import GeminiServer
from tests.shared.agent.rig import Deployment, gemini_model


@pytest.fixture(params=["sqlite", "postgres", "firestore"])
def backend_url(request: pytest.FixtureRequest) -> str:
    """A new database of each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def deployment(backend_url: str, tmp_path: Path, gemini: GeminiServer) -> AsyncIterator[Deployment]:
    """Engines over one database, the test once on each kind."""
    model = gemini_model(gemini)
    made = Deployment(backend_url, tmp_path / "objects", model)
    yield made
    await made.close()
    await model.close()
