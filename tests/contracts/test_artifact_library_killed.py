"""A process killed while it saves: no record without bytes, nothing torn, nothing lost that was answered."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import tempfile
from collections.abc import AsyncIterator

import pytest

from shared.artifacts.library import ArtifactLibrary
from shared.artifacts.port import ObjectStore
from shared.artifacts.select import open_objects
from shared.clock import utc_now
from shared.ids import new_id
from shared.sessions.sql.store import SqlStore
from shared.settings import read_settings
from tests.servers.agent_process import ROOT, fork_process
from tests.servers.object_fixtures import ObjectPlace
from tests.servers.saving_process import SESSION, file_of

KILLS = 3
# Where in a save the signal falls: after this many saves and a random part of one.
ANSWERED = 6


@pytest.fixture
async def objects(place: ObjectPlace) -> AsyncIterator[ObjectStore]:
    opened = open_objects(read_settings(place.variables))
    yield opened
    await opened.close()


async def saves_until_killed(
    place: ObjectPlace, database_url: str, pause: float
) -> list[tuple[str, int, str]]:
    """What a process that saves was answered, before a SIGKILL at that moment after some saves."""
    with tempfile.TemporaryFile() as log:
        environment = {**os.environ, **place.variables}
        process = fork_process("tests.servers.saving_process", ROOT, environment, log, database_url)
    assert process.stdout is not None
    with process.stdout as stdout:
        lines = [await asyncio.to_thread(stdout.readline) for _ in range(ANSWERED)]
        # Not a wait for something: the moment of death is to be any.
        await asyncio.sleep(pause)
        process.send_signal(signal.SIGKILL)
        lines += stdout.read().splitlines(keepends=True)
    assert process.wait(60) == -signal.SIGKILL
    whole = [line.rstrip("\n").split("\t") for line in lines if line.endswith("\n")]
    return [(name, int(version), sha256) for name, version, sha256 in whole]


async def test_killed_at_any_moment(place: ObjectPlace, sqlite_url: str, objects: ObjectStore) -> None:
    moments = random.Random(6)
    answered: list[tuple[str, int, str]] = []
    async with await SqlStore.open(sqlite_url) as store:
        await store.create_session(key=SESSION, title="", context={}, now=utc_now())
        library = ArtifactLibrary(objects=objects, index=store, clock=utc_now, new_id=new_id)
        for _ in range(KILLS):
            answered += await saves_until_killed(place, sqlite_url, moments.uniform(0, 0.05))
        recorded = {
            (found.filename, found.version, found.sha256): found
            for writer in range(2)
            for found in await library.versions(key=file_of(writer))
        }
        assert set(answered) <= recorded.keys()
        assert len(answered) == len(set(answered)) >= KILLS * ANSWERED
        for found in recorded.values():
            # Raises when the bytes are missing or are not those that were saved.
            await library.read_bytes(artifact=found)
        kept = {found.object_key async for found in objects.list_objects()}
        assert {found.object_key for found in recorded.values()} <= kept
        # What is in nobody's record is an orphan of a kill: one a writer at most.
        assert len(kept) - len(recorded) <= KILLS * 4
        after = await library.save(key=file_of(0), data=b"life goes on")
        assert after.artifact.version > max(v for name, v, _ in recorded if name == after.artifact.filename)
