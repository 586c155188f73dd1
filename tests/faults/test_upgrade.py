"""Upgrade and rollback as docs/operations.md says: releases side by side, a database ahead and behind."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Connection, text

from shared.sessions.sql.runner import open_runner
from shared.sessions.sql.schema import HEAD
from tests.servers.agent import Agent, agent_server
from tests.servers.agent_process import ROOT
from tests.servers.next_release import MIGRATION, NEXT
from tests.servers.sse import chat_stream

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

# The newest migration but one, and one that lacks tables which this release uses.
BEFORE, MISSING = "0007", "0006"
TURNS = 2


def migrate(url: str, *arguments: str) -> tuple[int, str]:
    """Status and words of `python -m shared.sessions.migrate`."""
    done = subprocess.run(
        [sys.executable, "-m", "shared.sessions.migrate", *arguments],
        cwd=ROOT,
        env={"DATABASE_URL": url, "PATH": ""},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


async def next_migration(url: str) -> None:
    """Migrates as the next release does."""
    runner = open_runner(url)

    def work(conn: Connection) -> None:
        for statement in MIGRATION:
            conn.execute(text(statement))

    await runner.write(work)
    await runner.close()


def talk(client: httpx.Client, session: str) -> None:
    """One turn, and one version of a file."""
    stream = chat_stream(client, "What is a limit order?", session_id=session)
    assert stream.types[-1] == "complete", stream.chunks[-1]
    path = f"/artifacts/session/{session}/notes.md"
    client.put(path, json={"content": f"{len(stream.text)} {stream.ids[-1]}"}).raise_for_status()


def talks(client: httpx.Client, session: str) -> None:
    """Some turns, one after another."""
    for _ in range(TURNS):
        talk(client, session)


def answers(client: httpx.Client, session: str) -> int:
    """How many answers the session has."""
    found = client.get(f"/chat/sessions/{session}/messages").raise_for_status().json()
    return sum(message["role"] == "assistant" for message in found)


async def test_two_releases_serve_one_database_and_the_older_one_comes_back(
    tmp_path: Path, postgres_url: str
) -> None:
    """An upgrade: migrate, then new instances beside old ones. A rollback: the old ones alone."""
    folders = [tmp_path / name for name in ("old", "new", "back")]
    for folder in folders:
        folder.mkdir()
    settings = {"DATABASE_URL": postgres_url, "DATA_DIR": str(tmp_path / "data")}
    with agent_server(folders[0], **settings) as old, old.client() as here:
        talk(here, "s")
        await next_migration(postgres_url)
        talk(here, "s")
        with agent_server(folders[1], module="tests.servers.next_release", **settings) as new:
            with new.client() as there:
                assert there.get("/health").json()["checks"]["database"] == "healthy"
                both = (here, there)
                with ThreadPoolExecutor(2) as pool:
                    list(pool.map(lambda number: talks(both[number], f"t-{number}"), range(2)))
                for number in range(2):
                    talk(both[1 - number], f"t-{number}")
                    assert {answers(client, f"t-{number}") for client in both} == {TURNS + 1}
    with agent_server(folders[2], **settings) as back, back.client() as client:
        assert answers(client, "s") == 2
        talk(client, "s")
        talk(client, "t-1")
    assert migrate(postgres_url, "--show") == (
        0,
        f"the database is at migration {NEXT}; this release needs {HEAD}\n",
    )
    # The older release's own migration leaves a database that is ahead as it is.
    assert migrate(postgres_url)[0] == 0
    status, words = migrate(postgres_url, "--to", BEFORE, "--drop")
    assert status == 1
    assert "take it back with the release that made it" in words


def refuses(agent: Agent) -> None:
    """Whether an agent whose database is behind says so and serves no turn."""
    with agent.client() as client:
        health = client.get("/health")
        assert health.status_code == 503
        assert health.json()["checks"]["database"] != "healthy"
        answer = client.post("/chat", json={"message": "hello"})
        assert answer.status_code >= 500, answer.text
    assert "python -m shared.sessions.migrate" in agent.logs()


@pytest.mark.parametrize("back_to", [BEFORE, MISSING])
def test_a_database_that_went_back_is_refused_and_comes_forward_with_its_data(
    tmp_path: Path, postgres_url: str, back_to: str
) -> None:
    settings = {"DATABASE_URL": postgres_url}
    with agent_server(tmp_path, **settings) as agent, agent.client() as client:
        talk(client, "s")
        before = client.get("/chat/sessions/s/export").content
    assert migrate(postgres_url, "--to", back_to) == (
        0,
        f"the database is at migration {HEAD}; this release needs {HEAD}\n",
    )
    assert migrate(postgres_url, "--to", back_to, "--drop")[1].startswith(
        f"the database is at migration {back_to};"
    )
    with agent_server(tmp_path, **settings) as agent:
        refuses(agent)
    assert migrate(postgres_url)[0] == 0
    with agent_server(tmp_path, **settings) as agent, agent.client() as client:
        assert client.get("/chat/sessions/s/export").content == before
        talk(client, "s")
        assert answers(client, "s") == 2
