"""The composition root: settings in, open parts out, each opened once a process on first use.

A function's inner application has no lifespan under functions-framework, so nothing opens at import; and
each function opens only what it uses.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from shared.clock import utc_now
from shared.errors import AppError
from shared.ids import new_id
from shared.settings import Settings, settings
from shared.version import VERSION
from shared.web.auth import Authenticator
from shared.web.health import Health
from shared.web.telemetry import Telemetry

if TYPE_CHECKING:
    from shared.agent.engine import TurnEngine
    from shared.artifacts.library import ArtifactLibrary
    from shared.artifacts.port import ObjectStore
    from shared.model.port import ChatModel
    from shared.sessions.port import Store
    from shared.tools.port import ToolRunner

P = TypeVar("P")

_log = logging.getLogger(__name__)


class Resources:
    """The open parts of this process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = utc_now
        self.telemetry = Telemetry()
        self.authenticator = Authenticator(settings)
        self.health = Health(
            checks={
                "gemini": self._check_model,
                "database": self._check_database,
                "minio": self._check_objects,
                "redis": _not_configured,
                "nats": _not_configured,
            },
            version=VERSION,
            clock=utc_now,
            active_sessions=self.active_sessions,
        )
        self.telemetry.watch_sessions(self.active_sessions)
        self._open: dict[str, Any] = {}
        self._lock = asyncio.Lock()

    async def store(self) -> Store:
        """The session store."""
        from shared.sessions.select import open_store

        return await self._once("store", lambda: open_store(self.settings))

    async def objects(self) -> ObjectStore:
        """The object store."""
        from shared.artifacts.select import open_objects

        return await self._once("objects", lambda: _ready(open_objects(self.settings)))

    async def artifacts(self) -> ArtifactLibrary:
        """The artifact library."""
        from shared.artifacts.library import ArtifactLibrary

        objects, store = await self.objects(), await self.store()
        return await self._once(
            "artifacts",
            lambda: _ready(
                ArtifactLibrary(
                    objects=objects,
                    index=store,
                    clock=utc_now,
                    new_id=new_id,
                    observe=self.telemetry.artifact,
                )
            ),
        )

    async def tools(self) -> ToolRunner:
        """The tools of this process."""
        from shared.tools.select import open_tools

        artifacts, store = await self.artifacts(), await self.store()
        return await self._once("tools", lambda: _ready(open_tools(self.settings, artifacts, store)))

    async def tools_once(self) -> ToolRunner:
        """The tools of this process for callers who name their calls: an id of a session runs once."""
        from shared.tools.select import open_once

        tools, store = await self.tools(), await self.store()
        return await self._once("tools_once", lambda: _ready(open_once(tools, store)))

    async def turn_tools(self) -> ToolRunner:
        """The tools of turns: those of the service at TOOLS_URL, or of this process."""
        from shared.tools.select import open_remote

        if self.settings.tools_url is None:
            return await self.tools()
        return await self._once("turn_tools", lambda: _ready(open_remote(self.settings)))

    async def model(self) -> ChatModel:
        """The chat model."""
        from shared.model.select import open_model

        return await self._once("model", lambda: _ready(open_model(self.settings)))

    async def engine(self) -> TurnEngine:
        """The turn engine."""
        from shared.agent.engine import TurnEngine
        from shared.agent.run import TurnParts

        found: TurnEngine | None = self._open.get("engine")
        if found is not None:
            return found
        parts = TurnParts(
            model=await self.model(),
            tools=await self.turn_tools(),
            artifacts=await self.artifacts(),
            new_id=new_id,
            max_tool_calls=self.settings.max_tools_per_request,
            turn_timeout=self.settings.turn_timeout,
            model_timeout=self.settings.model_timeout,
        )
        store = await self.store()
        return await self._once(
            "engine",
            lambda: _ready(
                TurnEngine(
                    store=store,
                    parts=parts,
                    clock=utc_now,
                    history_messages=self.settings.max_conversation_length,
                    observers=(self.telemetry.turn,),
                )
            ),
        )

    def warm_soon(self) -> None:
        """Begins what a first turn would wait for, in the background, once: the model client's import.

        Called when the function is ready, not before: importing google.genai takes over a second.
        """
        if "warming" not in self._open:
            self._open["warming"] = asyncio.create_task(self._warm())

    def active_sessions(self) -> int:
        """How many sessions have a turn running in this process."""
        engine = self._open.get("engine")
        return engine.active_sessions if engine is not None else 0

    async def interrupt_turns(self) -> None:
        """Ends the turns that run here, recorded as interrupted; their streams end with them."""
        engine = self._open.get("engine")
        if engine is not None:
            await engine.close()

    async def close(self) -> None:
        """Closes what was opened, the last first."""
        warming = self._open.pop("warming", None)
        if warming is not None:
            warming.cancel()
            await asyncio.wait({warming})
        while self._open:
            _, part = self._open.popitem()
            close = getattr(part, "close", None)
            if close is not None:
                await close()

    async def _once(self, name: str, opening: Callable[[], Awaitable[P]]) -> P:
        if name not in self._open:
            async with self._lock:
                if name not in self._open:
                    self._open[name] = await opening()
        part: P = self._open[name]
        return part

    async def _warm(self) -> None:
        model = await self.model()
        warm = getattr(model, "warm", None)
        if warm is not None:
            try:
                await warm()
            except AppError as error:
                # The first turn meets the same error and tells its user.
                _log.warning("the model is not ready", extra={"code": error.code})

    async def _check_model(self) -> str:
        # No call: a paid endpoint is never asked. What can be known here is whether there is a model at all.
        return "healthy" if self.settings.provider == "gemini" else "offline"

    async def _check_database(self) -> str:
        await (await self.store()).check()
        return "healthy"

    async def _check_objects(self) -> str:
        await (await self.objects()).check()
        return "healthy"


async def _ready(part: P) -> P:
    return part


async def _not_configured() -> str:
    return "not_configured"


@cache
def _resources_of(thread: int) -> Resources:
    return Resources(settings())


def resources() -> Resources:
    """The resources of this process; one event loop a thread, one set a loop."""
    return _resources_of(threading.get_ident())
