"""Tools run as the agent runs them: over a real SQLite store and local artifacts, with no network."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.artifacts.library import ArtifactLibrary
from shared.artifacts.local import LocalObjectStore
from shared.clock import utc_now
from shared.ids import new_id
from shared.keys import ArtifactKey, SessionKey
from shared.messages import ToolCall, ToolFault, ToolResult
from shared.sessions.sql.store import SqlStore
from shared.settings import Settings
from shared.tools.port import Tool, ToolServices
from shared.tools.runner import LocalToolRunner


class NoHosts:
    """A resolver that knows no host and allows no address."""

    async def resolve(self, host: str, port: int) -> tuple[str, ...]:
        raise OSError(f"no such host: {host}")

    def is_allowed(self, address: str) -> bool:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolBench:
    """Tools over one session and its files."""

    session: SessionKey
    store: SqlStore
    artifacts: ArtifactLibrary
    runner: LocalToolRunner

    async def save(self, filename: str, content: str | bytes) -> int:
        """Puts a file in the session; its version."""
        data = content.encode() if isinstance(content, str) else content
        saved = await self.artifacts.save(key=self.key(filename), data=data)
        return saved.artifact.version

    async def content(self, filename: str) -> bytes:
        """The newest bytes of a file."""
        return (await self.artifacts.read(key=self.key(filename))).data

    def key(self, filename: str) -> ArtifactKey:
        """The file's full key."""
        return ArtifactKey(session=self.session, filename=filename)

    async def run(self, name: str, call_id: str = "", **arguments: Any) -> ToolResult:
        """What the runner gives for one call."""
        return await self.call(name, arguments, call_id)

    async def call(self, name: str, arguments: dict[str, Any], call_id: str = "") -> ToolResult:
        """The same, for arguments of any name."""
        call = ToolCall(id=call_id or new_id(), name=name, arguments=arguments)
        return await self.runner.run(call=call, session=self.session)

    async def fault(self, name: str, **arguments: Any) -> ToolFault:
        """The fault of a call that must fail."""
        result = await self.run(name, **arguments)
        assert result.error is not None, result
        return result.error


@asynccontextmanager
async def tool_bench(folder: Path, sqlite_url: str, tools: tuple[Tool, ...]) -> AsyncIterator[ToolBench]:
    """A bench whose session exists; `sqlite_url` names a migrated database."""
    settings = Settings(data_dir=folder)
    session = SessionKey(user_id="alice", session_id="s1")
    async with await SqlStore.open(sqlite_url) as store:
        await store.create_session(key=session, title="", context={}, now=utc_now())
        objects = LocalObjectStore(folder / "artifacts")
        artifacts = ArtifactLibrary(objects=objects, index=store, clock=utc_now, new_id=new_id)
        services = ToolServices(
            artifacts=artifacts,
            settings=settings,
            resolver=NoHosts(),
            clock=utc_now,
            outbox=store,
            history=store,
        )
        runner = LocalToolRunner(tools=tools, services=services)
        yield ToolBench(session=session, store=store, artifacts=artifacts, runner=runner)
        await objects.close()
