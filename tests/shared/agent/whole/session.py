"""One session on a real engine, store and tools, with a model that is listened to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

from shared.agent.engine import TurnEngine
from shared.agent.parts import TurnParts
from shared.agent.window import ContextWindow
from shared.clock import utc_now
from shared.ids import new_id
from shared.keys import SessionKey
from shared.model.port import ChatModel, ModelChunk, ModelRequest
from shared.resources import Resources
from shared.settings import Settings
from shared.tools.documentation.review import CitationReview
from shared.turn import Turn, TurnRequest

KEY = SessionKey(user_id="u", session_id="s")
MESSAGES = 40
TOKENS = 16_000


@dataclass
class Recorder:
    """A model that keeps what it is asked and hands on to another; also the source of it for every user."""

    model: ChatModel
    requests: list[ModelRequest] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.model.name

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelChunk]:
        self.requests.append(request)
        async for chunk in self.model.stream(request):
            yield chunk

    async def close(self) -> None:
        await self.model.close()

    async def for_user(self, user_id: str) -> ChatModel:
        assert user_id == KEY.user_id
        return self


@dataclass
class WholeSession:
    """One session on an engine of its own."""

    engine: TurnEngine
    model: Recorder
    resources: Resources

    async def say(self, message: str) -> Turn:
        turn = await self.engine.begin(key=KEY, request=TurnRequest(message=message))
        ended = await self.engine.wait(user_id=KEY.user_id, turn_id=turn.turn_id)
        assert ended.status == "completed", ended.final
        return ended


async def open_session(settings: Settings) -> WholeSession:
    """The engine as resources.py makes it, on a new database, with a small window."""
    resources = Resources(settings)
    model = Recorder(await resources.model())
    return WholeSession(await engine_on(resources, model, MESSAGES, TOKENS), model, resources)


async def engine_on(resources: Resources, model: Recorder, messages: int, tokens: int) -> TurnEngine:
    """An engine with a window of this size."""
    store = await resources.store()
    window = ContextWindow(store=store, max_messages=messages, max_tokens=tokens)
    parts = TurnParts(
        models=model,
        window=window,
        tools=await resources.tools(),
        artifacts=await resources.artifacts(),
        approvals=await resources.approvals(),
        review=CitationReview(resources.settings),
        approval_time=timedelta(hours=1),
        clock=utc_now,
        new_id=new_id,
        max_tool_calls=10,
        turn_timeout=60,
        model_timeout=30,
    )
    return TurnEngine(store=store, parts=parts, clock=utc_now, history_messages=window.history_messages)


async def close_session(session: WholeSession) -> None:
    await session.engine.close()
    await session.resources.close()
