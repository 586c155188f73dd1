"""An agent that is killed and started again on the same port, folder and database, and its clients."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from tests.faults.heard import Heard, hear
from tests.faults.script import message_of
from tests.faults.watcher import Watcher
from tests.servers.agent import Agent, end_agent, start_agent
from tests.servers.gemini import GeminiServer
from tests.servers.ports import free_port

LEASE_SECONDS = 3
WAIT_SECONDS = 30.0


class Deployment:
    """One instance; `settings` are its variables, which may be changed before a start."""

    def __init__(
        self, folder: Path, model: GeminiServer, database_url: str, *, name: str = "agent", **settings: str
    ) -> None:
        self.folder = folder / name
        self.folder.mkdir(exist_ok=True)
        self.settings = {
            "PORT": str(free_port()),
            "DATA_DIR": str(folder / "data"),
            "DATABASE_URL": database_url,
            "TURN_LEASE_SECONDS": str(LEASE_SECONDS),
            "GEMINI_API_KEY": model.api_key or "",
            "GEMINI_BASE_URL": model.url,
            **settings,
        }
        self.watcher = Watcher(database_url)
        self.agent: Agent | None = None
        self.client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.settings['PORT']}", timeout=60, trust_env=False
        )

    async def __aenter__(self) -> Deployment:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.aclose()
        await self.watcher.close()
        if self.agent is not None:
            end_agent(self.agent)

    def start(self) -> None:
        """Starts the agent, or starts it again; returns when it serves."""
        self.agent = start_agent(self.folder, **self.settings)

    def kill(self) -> None:
        """kill -9."""
        assert self.agent is not None
        process = self.agent.process
        process.kill()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()

    def logs(self) -> str:
        """Everything it has logged."""
        assert self.agent is not None
        return self.agent.logs()

    async def say(self, session: str, **headers: str) -> Heard:
        """The scripted turn of a session, under the session's own Idempotency-Key, as far as it is heard."""
        body = {"message": message_of(session), "session_id": session}
        sent = {"Idempotency-Key": f"key-{session}", **headers}
        return await hear(self.client, "POST", "/chat/stream", json=body, headers=sent)

    async def opening(self, session: str) -> Heard:
        """The first event of a turn that runs, to a second client, which leaves then."""
        body = {"message": message_of(session), "session_id": session}
        headers = {"Idempotency-Key": f"key-{session}"}
        return await hear(self.client, "POST", "/chat/stream", json=body, headers=headers, events=1)

    async def ask(self, session: str) -> httpx.Response:
        """The same turn, its answer at once."""
        body = {"message": message_of(session), "session_id": session}
        return await self.client.post("/chat", json=body, headers={"Idempotency-Key": f"key-{session}"})

    async def insist(self, session: str, **headers: str) -> Heard:
        """Repeats the same request, as a client should, until the turn has ended well.

        Every failure on the way must be one that says how to go on: see `check_failure`.
        """
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            heard = await self.say(session, **headers)
            if heard.last.get("type") == "complete":
                return heard
            check_failure(heard)
            assert time.monotonic() < deadline, (heard.last, heard.problem)
            await asyncio.sleep(min(float(heard.headers.get("retry-after", 0.2)), 0.5))

    async def take_up(self, heard: Heard) -> Heard:
        """The rest of a stream that broke, by `/resume` and `Last-Event-ID`, once the turn counts as left."""
        assert heard.turn_id is not None
        await self.until_left(heard.turn_id)
        headers = {"Last-Event-ID": heard.last_id or "0.0"}
        return await hear(self.client, "POST", f"/chat/turns/{heard.turn_id}/resume", headers=headers)

    async def until_left(self, turn_id: str) -> None:
        """Returns when the turn runs nowhere: its lease has run out, or it has ended."""
        deadline = time.monotonic() + WAIT_SECONDS
        while (await self.get(f"/chat/turns/{turn_id}"))["status"] == "running":
            assert time.monotonic() < deadline, "the turn's lease does not run out"
            await asyncio.sleep(0.05)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Returns when the condition holds."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not condition():
            assert time.monotonic() < deadline, "it does not get there"
            await asyncio.sleep(0.001)

    async def get(self, path: str) -> Any:
        """The JSON of a path."""
        answer = await self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()


def check_failure(heard: Heard) -> None:
    """Whether a turn that did not end well told its client so: by code, and that a retry may work."""
    if heard.ended == "refused":
        assert heard.problem.get("code"), heard
        assert heard.status in (409, 429, 503, 504), heard.problem
        assert "retry-after" in heard.headers, heard.problem
    elif heard.ended == "done":
        assert heard.last.get("type") == "error", heard.last
        assert heard.last.get("code"), heard.last
        assert heard.last.get("retryable") is True, heard.last
