"""A turn's calls of the model: what it is sent, and its reply, streamed to the feed as it comes."""

from __future__ import annotations

import logging
import time
from dataclasses import replace

from shared.agent.feed import TurnFeed
from shared.agent.history import turn_messages
from shared.agent.parts import TurnParts
from shared.agent.prompt import system_prompt
from shared.agent.record import TurnRecord
from shared.agent.reply import ReplyBuilder
from shared.agent.updates import ContentUpdate, Position, separator
from shared.agent.window import Prepared
from shared.errors import AppError, SessionConflictError
from shared.messages import FinishReason, Message, TextPart, ToolCall, ToolSpec, Usage
from shared.model.port import ChatModel, ModelRequest
from shared.sessions.turn_port import BegunTurn
from shared.turn import ModelStep

_log = logging.getLogger(__name__)


class Talk:
    """The conversation of one turn with its user's model; `seconds` is the time that the model took."""

    def __init__(self, *, parts: TurnParts, begun: BegunTurn, record: TurnRecord, feed: TurnFeed) -> None:
        self.seconds = 0.0
        self._parts = parts
        self._begun = begun
        self._record = record
        self._feed = feed
        self._model: ChatModel | None = None
        self._prepared: Prepared | None = None
        self._folding = Usage()
        self._reply: ReplyBuilder | None = None

    async def ask(self, specs: tuple[ToolSpec, ...], *, out_of_calls: bool) -> ModelStep:
        """One reply; raises what the model raises."""
        model = self._model
        if model is None:
            model = self._model = await self._parts.models.for_user(self._record.turn.key.user_id)
        prepared = self._prepared
        if prepared is None:
            prepared = self._prepared = await self._prepare(model, specs)
        turn, number = self._record.turn, self._record.next_number
        request = ModelRequest(
            model=turn.request.model or model.name,
            system=system_prompt(self._context(), summary=prepared.summary, finish_now=out_of_calls),
            messages=prepared.fit(self._messages()),
            tools=specs,
            allow_tools=not out_of_calls,
            timeout=self._parts.model_timeout,
        )
        reply = self._reply = ReplyBuilder(model=request.model)
        lead = separator(turn, number)
        started = time.perf_counter()
        try:
            async for chunk in model.stream(request):
                delta = reply.add(chunk)
                if delta:
                    self._feed.send(ContentUpdate(Position(number, reply.length), lead + delta))
                    lead = ""
        finally:
            self.seconds += time.perf_counter() - started
        return self._own(reply.step())

    def recorded(self) -> None:
        """The last reply is in the record: nothing of it is partial any more."""
        self._reply = None

    def partial(self, reason: FinishReason) -> ModelStep | None:
        """What the model had said when the turn broke off: the user has seen it, so it is kept."""
        if self._reply is None or not self._reply.length:
            return None
        step = self._reply.step(reason)
        return self._own(replace(step, parts=texts_of(step)))

    async def _prepare(self, model: ChatModel, specs: tuple[ToolSpec, ...]) -> Prepared:
        """What the model sees of earlier turns; a summary that was made for it is kept for the next."""
        started = time.perf_counter()
        prepared = await self._parts.window.prepare(
            turn=self._record.turn,
            history=self._begun.history or (),
            summary=self._begun.summary,
            model=model,
            system=system_prompt(self._context()),
            specs=specs,
        )
        if prepared.grown and prepared.summary is not None:
            self.seconds += time.perf_counter() - started
            self._folding = prepared.usage
            try:
                await self._record.save_summary(prepared.summary)
            except SessionConflictError:
                raise
            except AppError as error:
                # It is made again by a later turn.
                _log.warning("summary not kept", extra={"code": error.code})
        return prepared

    def _context(self) -> dict[str, object]:
        return {**self._begun.session.whole_context, **self._record.turn.request.context}

    def _messages(self) -> tuple[Message, ...]:
        current = list(turn_messages(self._record.turn))
        # A try that broke off has said something, but the model is asked the same again.
        while current[-1].role == "assistant":
            current.pop()
        return tuple(current)

    def _own(self, step: ModelStep) -> ModelStep:
        """The step with call ids that are new in this turn, since results are found by them.

        What folding earlier turns took counts with the turn's first reply.
        """
        seen = {call.id for call, _ in self._record.turn.tool_calls}
        parts: list[TextPart | ToolCall] = []
        for part in step.parts:
            if isinstance(part, ToolCall):
                if part.id in seen:
                    part = replace(part, id=self._parts.new_id())  # noqa: PLW2901
                seen.add(part.id)
            parts.append(part)
        folding, self._folding = self._folding, Usage()
        return replace(step, parts=tuple(parts), usage=step.usage + folding)


def texts_of(step: ModelStep) -> tuple[TextPart, ...]:
    """The reply's text without its calls."""
    return tuple(part for part in step.parts if isinstance(part, TextPart))
