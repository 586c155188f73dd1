"""Which model the settings open, and what it costs to choose."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import SecretStr

from shared.model.gemini import GeminiModel
from shared.model.offline import OfflineModel
from shared.model.select import open_model
from shared.settings import Settings


def test_without_a_key_the_offline_planner_answers() -> None:
    assert isinstance(open_model(Settings()), OfflineModel)


def test_with_a_key_gemini_answers_under_the_configured_name() -> None:
    model = open_model(Settings(gemini_api_key=SecretStr("test-key"), gemini_model="gemini-x"))

    assert isinstance(model, GeminiModel)
    assert model.name == "gemini-x"


def test_the_setting_beats_the_key() -> None:
    settings = Settings(gemini_api_key=SecretStr("test-key"), model_provider="offline")

    assert isinstance(open_model(settings), OfflineModel)


@pytest.mark.parametrize("module", ["google.genai", "shared.model.offline.plan", "yaml"])
def test_choosing_the_planner_loads_nothing_it_does_not_need_yet(module: str) -> None:
    script = (
        "import sys; from shared.model.offline import OfflineModel; OfflineModel(); "
        f"print({module!r} in sys.modules)"
    )

    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )

    assert run.stdout.strip() == "False"
