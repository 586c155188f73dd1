"""Deployments of engines for the tests of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.servers.gemini import GeminiServer
from tests.shared.agent.rig import Deployment, gemini_model


@pytest.fixture
async def deployment(database_url: str, tmp_path: Path, gemini: GeminiServer) -> AsyncIterator[Deployment]:
    """Engines over one database, the test once on SQLite and once on Postgres."""
    model = gemini_model(gemini)
    made = Deployment(database_url, tmp_path / "objects", model)
    yield made
    await made.close()
    await model.close()
