"""The composition root: settings in, open parts out, each opened once a process on first use.

A function's inner application has no lifespan under functions-framework, so nothing opens at import; and
each function opens only what it uses.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from shared.clock import utc_now
from shared.errors import AppError
from shared.ids import new_id
from shared.opened.health_checks import HealthChecks
from shared.opened.parts import ready
from shared.settings import Settings, settings
from shared.tracing.context import outside
from shared.version import VERSION
from shared.web.auth import Authenticator
from shared.web.health import Health

if TYPE_CHECKING:
    from shared.agent.engine import TurnEngine

_log = logging.getLogger(__name__)


class Resources(HealthChecks):
    """The open parts of this process."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.authenticator = Authenticator(settings)
        self.health = Health(
            checks={
                "gemini": self._check_model,
                "database": self._check_database,
                "minio": self._check_objects,
                "redis": self._check_redis,
                "nats": self._check_nats,
            },
            version=VERSION,
            clock=utc_now,
            active_sessions=self.active_sessions,
        )
        self.telemetry.watch_sessions(self.active_sessions)
        self.telemetry.watch_outbox(self._outbox_lag)

    def ask_sandbox(self) -> None:
        """Health tells of the sandbox too: asking starts a process, so that only who runs code asks."""
        self.health.checks["sandbox"] = self._check_sandbox

    async def engine(self) -> TurnEngine:
        """The turn engine."""
        from shared.agent.engine import TurnEngine
        from shared.agent.parts import TurnParts
        from shared.agent.window import ContextWindow
        from shared.model.select import traced_models
        from shared.redis.select import open_bus
        from shared.tools.documentation.review import CitationReview
        from shared.upkeep import Upkeep
        from shared.web.turn_log import log_turn

        found: TurnEngine | None = self._open.get("engine")
        if found is not None:
            return found
        store = await self.store()
        redis = await self.redis()
        bus = await self._once("bus", lambda: ready(open_bus(redis)))
        upkeep = await self._once(
            "upkeep",
            lambda: ready(Upkeep(store=store, clock=utc_now, holder=new_id(), let_go=self.publish_soon)),
        )
        upkeep.begin()
        window = ContextWindow(
            store=store,
            max_messages=self.settings.max_conversation_length,
            max_tokens=self.settings.model_context_tokens,
        )
        parts = TurnParts(
            models=traced_models(self.settings, await self.user_models()),
            window=window,
            tools=await self.turn_tools(),
            artifacts=await self.artifacts(),
            approvals=await self.approvals(),
            review=CitationReview(self.settings),
            approval_time=timedelta(hours=self.settings.approval_hours),
            clock=utc_now,
            new_id=new_id,
            max_tool_calls=self.settings.max_tools_per_request,
            turn_timeout=self.settings.turn_timeout,
            model_timeout=self.settings.model_timeout,
            lease_seconds=self.settings.turn_lease_seconds,
        )
        return await self._once(
            "engine",
            lambda: ready(
                TurnEngine(
                    store=store,
                    parts=parts,
                    clock=utc_now,
                    history_messages=window.history_messages,
                    bus=bus,
                    observers=(self.telemetry.turn, log_turn, lambda _: self.publish_soon()),
                    changed=self.telemetry.changed,
                )
            ),
        )

    def warm_soon(self) -> None:
        """Begins what a first turn would wait for, in the background, once: the model client's import.

        Also begins to look for events that an earlier process has left.
        Called when the function is ready, not before: importing google.genai takes over a second.
        """
        self.relay()
        if "warming" not in self._open:
            self._open["warming"] = asyncio.create_task(self._warm(), context=outside())

    def active_sessions(self) -> int:
        """How many sessions have a turn running in this process."""
        engine = self._open.get("engine")
        return engine.active_sessions if engine is not None else 0

    def forget_user(self, user_id: str) -> None:
        """Lets go of what this process remembers of a user who was erased."""
        for name in ("user_keys", "user_models"):
            if name in self._open:
                self._open[name].forget(user_id)

    async def interrupt_turns(self) -> None:
        """Ends the turns that run here, recorded as interrupted; their streams end with them."""
        engine = self._open.get("engine")
        if engine is not None:
            await engine.close(hand_over=self.settings.hands_turns_over)

    async def close(self) -> None:
        """Closes what was opened, the last first."""
        warming = self._open.pop("warming", None)
        if warming is not None:
            warming.cancel()
            await asyncio.wait({warming})
        relay = self._open.pop("relay", None)
        if relay is not None:
            # Before the store that it looks into.
            await relay.close()
        while self._open:
            _, part = self._open.popitem()
            close = getattr(part, "close", None)
            if close is not None:
                await close()

    async def _warm(self) -> None:
        model = await self.model()
        warm = getattr(model, "warm", None)
        if warm is not None:
            try:
                await warm()
            except AppError as error:
                # The first turn meets the same error and tells its user.
                _log.warning("the model is not ready", extra={"code": error.code})


@cache
def _resources_of(thread: int) -> Resources:
    return Resources(settings())


def resources() -> Resources:
    """The resources of this process; one event loop a thread, one set a loop."""
    return _resources_of(threading.get_ident())
