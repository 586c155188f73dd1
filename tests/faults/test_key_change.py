"""ENCRYPTION_KEYS changed as docs/operations.md says, instances being restarted one after the other."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.agent import Agent, agent_server
from tests.servers.all_kept import everything, fill
from tests.servers.page import run_commands
from tests.servers.sse import chat_stream

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

OLD, NEW = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))
STEPS = (OLD, f"{OLD},{NEW}", f"{NEW},{OLD}", NEW)


@contextmanager
def instance(folder: Path, database: str, keys: str) -> Iterator[Agent]:
    """One of several instances, at a step of the change."""
    folder.mkdir(exist_ok=True)
    settings = {"DATABASE_URL": database, "DATA_DIR": str(folder.parent / "data"), "ENCRYPTION_KEYS": keys}
    with agent_server(folder, **settings) as agent:
        yield agent


def test_no_instance_meets_what_it_cannot_read_while_keys_are_changed(
    tmp_path: Path, postgres_url: str
) -> None:
    with instance(tmp_path / "first", postgres_url, OLD) as agent, agent.client() as client:
        fill(client)
        before = everything(client)
    for number, (keys, next_keys) in enumerate(itertools.pairwise(STEPS)):
        if next_keys == NEW:
            # All are at the step before: what the old key has written is written anew.
            settings = {"DATABASE_URL": postgres_url, "ENCRYPTION_KEYS": keys}
            told = run_commands("reseal", settings)
            assert "bodies written under the first key" in told
        # An instance that is restarted already, beside one that is not.
        with (
            instance(tmp_path / "first", postgres_url, keys) as early,
            instance(tmp_path / "second", postgres_url, next_keys) as late,
            early.client() as one,
            late.client() as other,
        ):
            for turn, client in enumerate((one, other, one)):
                stream = chat_stream(client, f"What is step {turn}?", session_id=f"during-{number}")
                assert stream.types[-1] == "complete", stream.chunks[-1]
            exports = [
                client.get(f"/chat/sessions/during-{number}/export").raise_for_status().content
                for client in (one, other)
            ]
            assert exports[0] == exports[1]
    with instance(tmp_path / "last", postgres_url, NEW) as agent, agent.client() as client:
        after = everything(client)
        after["sessions"] = [each for each in after["sessions"] if not each["id"].startswith("during-")]
        assert after == before
