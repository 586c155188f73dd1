"""Fixtures for every test: a clean environment, and real servers started on demand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.settings import Settings
from tests.servers.agent import Agent, agent_server

pytest_plugins = [
    "pytester",
    "tests.collecting",
    "tests.order",
    "tests.redaction",
    "tests.servers.event_fixtures",
    "tests.servers.firestore_fixtures",
    "tests.servers.fixtures",
    "tests.servers.gemini_fixtures",
    "tests.servers.object_fixtures",
    "tests.servers.valkey_fixtures",
]

# A developer's own settings must not reach a test, nor a test's requests a real model.
for _name in Settings.model_fields:
    os.environ.pop(_name.upper(), None)
for _name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
    os.environ.pop(_name, None)


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """The whole agent on embedded defaults with the offline planner, one a test module."""
    with agent_server(tmp_path_factory.mktemp("agent")) as server:
        yield server


@pytest.fixture
def repository() -> Path:
    """The root of the repository."""
    return Path(__file__).resolve().parents[1]
