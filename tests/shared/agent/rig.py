"""Turn engines on a real store, real files and the Gemini test server: the instances of one deployment."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field

from shared.agent.engine import TurnEngine
from shared.agent.parts import TurnParts
from shared.agent.updates import START, Position, Update
from shared.agent.window import ContextWindow
from shared.approvals import ApprovalSigner
from shared.artifacts.library import ArtifactLibrary
from shared.artifacts.local import LocalObjectStore
from shared.browsing.resolver import SystemResolver
from shared.clock import utc_now
from shared.errors import ToolFailedError
from shared.ids import new_id
from shared.keys import SessionKey
from shared.messages import ToolCall, ToolResult, ToolSpec
from shared.model.gemini import GeminiModel
from shared.model.port import ChatModel
from shared.sessions.firestore.store import FirestoreStore
from shared.sessions.port import Store
from shared.sessions.sql.store import SqlStore
from shared.settings import Settings
from shared.tools.list_artifacts import list_artifacts
from shared.tools.port import CallOrigin, Tool, ToolContext, ToolServices, tool
from shared.tools.runner import LocalToolRunner
from shared.tools.save_artifact import save_artifact
from shared.turn import Turn, TurnRequest
from tests.servers.gemini import GeminiServer

KEY = SessionKey(user_id="alice", session_id="s-1")


class MovableClock:
    """The real time, and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.ahead

    def pass_time(self, seconds: float) -> None:
        """All at once."""
        self.ahead += timedelta(seconds=seconds)


class Outside:
    """What tools have done outside: one line a launch, with the call's id."""

    def __init__(self) -> None:
        self.launches: list[tuple[str, str]] = []
        self.fails = False

    def tool(self) -> Tool:
        """A tool that needs the user's yes and has an effect outside, once a call id."""

        @tool(timeout=5.0, requires_approval=True, read_only=False)
        async def launch(
            context: ToolContext, name: Annotated[str, Field(description="what to launch")]
        ) -> str:
            """Launches something outside."""
            if self.fails:
                raise ToolFailedError("it would not start")
            if context.call_id not in [call_id for call_id, _ in self.launches]:
                self.launches.append((context.call_id, name))
            return f"{name} is launched"

        return launch


class CountingRunner:
    """A runner that notes each call it was asked to run."""

    def __init__(self, inner: LocalToolRunner) -> None:
        self.calls: list[str] = []
        self._inner = inner

    async def catalogue(self) -> tuple[ToolSpec, ...]:
        return await self._inner.catalogue()

    async def run(
        self, *, call: ToolCall, session: SessionKey | None, origin: CallOrigin | None = None
    ) -> ToolResult:
        self.calls.append(call.name)
        return await self._inner.run(call=call, session=session, origin=origin)


class OneModel:
    """The same model for every user."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model

    async def for_user(self, user_id: str) -> ChatModel:
        return self._model


class NoReview:
    """Finds nothing wrong."""

    async def review(self, answer: str) -> str | None:
        return None


class Instance:
    """One process's engine, with its own store connection, over a shared database and folder."""

    def __init__(self, engine: TurnEngine, store: Store, artifacts: ArtifactLibrary, runner: CountingRunner):
        self.engine = engine
        self.store = store
        self.artifacts = artifacts
        self.runner = runner

    async def begin(self, message: str, **options: object) -> Turn:
        """A turn of the test's session."""
        return await self.engine.begin(key=KEY, request=TurnRequest(message=message), **options)  # type: ignore[arg-type]

    async def wait(self, turn: Turn, seconds: float = 20) -> Turn:
        """The turn when it has ended or pauses, within so many seconds."""
        async with asyncio.timeout(seconds):
            return await self.engine.wait(user_id=KEY.user_id, turn_id=turn.turn_id)

    async def updates(self, turn: Turn, after: Position = START) -> list[Update]:
        """All updates after a position; within 20 s."""
        found: list[Update] = []
        async with asyncio.timeout(20):
            async for updates in self.engine.follow(user_id=KEY.user_id, turn_id=turn.turn_id, after=after):
                found.extend(updates)
        return found


async def open_database(url: str, clock: MovableClock) -> Store:
    """The store of a URL."""
    if url.startswith("firestore:"):
        return await FirestoreStore.open(url, clock=clock)
    return await SqlStore.open(url, clock=clock)


class Deployment:
    """Instances over one database; closed together."""

    def __init__(self, url: str, folder: Path, model: ChatModel) -> None:
        self.clock = MovableClock()
        self.outside = Outside()
        self._url, self._folder, self._model = url, folder, model
        self._signer = ApprovalSigner((b"k" * 32,))
        self._stack = AsyncExitStack()

    async def instance(self) -> Instance:
        """A further one."""
        store = await open_database(self._url, self.clock)
        self._stack.push_async_callback(store.close)
        library = ArtifactLibrary(
            objects=LocalObjectStore(self._folder), index=store, clock=self.clock, new_id=new_id
        )
        services = ToolServices(
            artifacts=library,
            settings=Settings(),
            resolver=SystemResolver(),
            clock=self.clock,
            approvals=self._signer,
        )
        runner = CountingRunner(
            LocalToolRunner(tools=(save_artifact, list_artifacts, self.outside.tool()), services=services)
        )
        window = ContextWindow(store=store, max_messages=100, max_tokens=64_000)
        engine = TurnEngine(
            store=store,
            parts=TurnParts(
                models=OneModel(self._model),
                window=window,
                tools=runner,
                artifacts=library,
                approvals=self._signer,
                review=NoReview(),
                approval_time=timedelta(hours=24),
                clock=self.clock,
                new_id=new_id,
                max_tool_calls=10,
                turn_timeout=60,
                model_timeout=20,
            ),
            clock=self.clock,
            history_messages=window.history_messages,
        )
        self._stack.push_async_callback(engine.close)
        return Instance(engine, store, library, runner)

    async def close(self) -> None:
        """Stops all instances."""
        await self._stack.aclose()


def gemini_model(server: GeminiServer) -> GeminiModel:
    """The real client on the test server."""
    return GeminiModel(api_key=server.api_key, model="gemini-2.5-flash", base_url=server.url)
