"""Sessions on real engines: `offline` with the planner, `live` with the Gemini test server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.settings import Settings
from tests.servers.gemini import GeminiServer
from tests.shared.agent.whole.session import WholeSession, close_session, open_session


@pytest.fixture
async def offline(tmp_path: Path) -> AsyncIterator[WholeSession]:
    """A session whose model is the offline planner."""
    session = await open_session(Settings(data_dir=tmp_path, model_provider="offline"))
    yield session
    await close_session(session)


@pytest.fixture
async def live(tmp_path: Path, gemini: GeminiServer) -> AsyncIterator[WholeSession]:
    """A session whose model is the test's Gemini server."""
    session = await open_session(
        Settings.model_validate(
            {"data_dir": tmp_path, "gemini_api_key": gemini.api_key, "gemini_base_url": gemini.url}
        )
    )
    yield session
    await close_session(session)
