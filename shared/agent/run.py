"""One turn from what is recorded of it to its end: model replies and tool calls in alternation."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from shared.agent.automatic import offered
from shared.agent.calls import calls_used, open_calls
from shared.agent.feed import TurnFeed
from shared.agent.outcomes import WORTH_A_RETRY, notice_for
from shared.agent.parts import TurnParts
from shared.agent.record import TurnRecord, resume_event
from shared.agent.talk import Talk, texts_of
from shared.agent.tool_round import ToolRound
from shared.agent.traced import turn_span, turn_told
from shared.agent.updates import (
    ContentUpdate,
    ErrorUpdate,
    Position,
    calls_of,
    end_of,
    separator,
    unrecorded_at,
)
from shared.errors import AppError, ModelTimeoutError, SessionConflictError
from shared.log_context import bound
from shared.messages import TextPart
from shared.sessions.outbox_port import OutgoingEvent
from shared.sessions.turn_port import BegunTurn
from shared.turn import FinalStep, ModelStep, TurnStatus

_log = logging.getLogger(__name__)


class TurnRun:
    """Runs one turn; `feed` tells it live, `record` holds it for good."""

    def __init__(self, *, parts: TurnParts, begun: BegunTurn, record: TurnRecord, feed: TurnFeed) -> None:
        self.record = record
        self.feed = feed
        # How the turn ends when it is cancelled; None: its end is somebody else's to write.
        self.stop_as: TurnStatus | None = "interrupted"
        self.hand_over = False
        # Why the turn's end is not in the record, when the store did not take it.
        self.unrecorded: AppError | None = None
        self._parts = parts
        self._talk = Talk(parts=parts, begun=begun, record=record, feed=feed)
        self._tools = ToolRound(parts=parts, record=record, feed=feed)

    @property
    def model_seconds(self) -> float:
        """How long the model took."""
        return self._talk.seconds

    @property
    def tool_seconds(self) -> float:
        """How long tools took."""
        return self._tools.seconds

    async def execute(self) -> None:
        """Runs to the end, whatever happens; the end is recorded when the store takes it."""
        key, turn_id = self.record.turn.key, self.record.turn.turn_id
        with bound(session_id=key.session_id, turn_id=turn_id), turn_span(self.record.turn) as work:
            await self._execute()
            turn_told(work, self.record.turn)

    async def _execute(self) -> None:
        try:
            async with asyncio.timeout(self._parts.turn_timeout):
                await self._converse()
        except asyncio.CancelledError:
            await self._stopped()
        except TimeoutError:
            error = ModelTimeoutError(f"the turn took more than {self._parts.turn_timeout:g} s")
            await self._failed(error, "deadline")
        except SessionConflictError:
            # Stopped or taken over from outside: the record says how it went on, and readers look there.
            _log.info("turn left")
        except AppError as error:
            await self._failed(error, "error")
        # The border of the turn: its client must hear of any failure, in our words.
        except Exception:  # noqa: BLE001
            _log.exception("turn failed")
            await self._failed(AppError("the turn failed for a reason of ours"), "error")
        finally:
            self.feed.close()

    async def _converse(self) -> None:
        """Goes on from what is recorded: open calls, then the model, until it answers or the user must."""
        request = self.record.turn.request
        specs = offered(await self._parts.tools.catalogue(), request) if request.enable_tools else ()
        while True:
            if open_calls(self.record.turn):
                if not await self._tools.run(specs):
                    return
                continue
            out_of_calls = bool(specs) and calls_used(self.record.turn) >= self._parts.max_tool_calls
            step = await self._talk.ask(specs, out_of_calls=out_of_calls)
            if step.tool_calls and step.finish_reason in ("tool_calls", "stop"):
                if not out_of_calls:
                    await self._called(step)
                    continue
                step = replace(step, finish_reason="tool_limit")
            elif step.finish_reason in WORTH_A_RETRY and not self._retried():
                await self.record.append(replace(step, parts=texts_of(step)))
                self._talk.recorded()
                continue
            await self._answered(step)
            return

    def _retried(self) -> bool:
        steps = self.record.turn.steps
        return any(isinstance(step, ModelStep) and step.finish_reason in WORTH_A_RETRY for step in steps)

    async def _called(self, step: ModelStep) -> None:
        """Records a reply that calls tools."""
        number = await self.record.append(step)
        self._talk.recorded()
        for update in calls_of(number, step):
            self.feed.send(update)

    async def _answered(self, step: ModelStep) -> None:
        """The last reply and the end of the turn, in one write."""
        step = self._with_more(step, notice_for(step.finish_reason, step.text))
        if correction := await self._parts.review.review(step.text):
            step = self._with_more(step, f"\n\n{correction}")
        final = FinalStep(status="completed", finish_reason=step.finish_reason)
        await self._end(final, replace(step, parts=texts_of(step)))

    def _with_more(self, step: ModelStep, words: str) -> ModelStep:
        """The reply with words of ours at its end, which its readers are sent too."""
        if not words:
            return step
        number, before = self.record.next_number, len(step.text)
        lead = "" if before else separator(self.record.turn, number)
        self.feed.send(ContentUpdate(Position(number, before + len(words)), lead + words))
        return replace(step, parts=(*texts_of(step), TextPart(text=words)))

    async def _failed(self, error: AppError, reason: str) -> None:
        final = FinalStep(
            status="failed",
            finish_reason="deadline" if reason == "deadline" else "error",
            error=error.message,
            code=error.code,
            retryable=error.retryable,
        )
        await self._end(final, self._talk.partial("error"))

    async def _stopped(self) -> None:
        """Cancelled by the user, by a newer turn, or by the end of this process."""
        if self.stop_as is None:
            return
        by_user = self.stop_as == "cancelled"
        final = FinalStep(
            status=self.stop_as,
            finish_reason="cancelled",
            error="the turn was cancelled" if by_user else "the turn was interrupted",
            code=self.stop_as,
            retryable=not by_user,
        )
        events = (resume_event(self.record.turn, self._parts.new_id()),) if self.hand_over else ()
        await self._end(final, self._talk.partial("cancelled"), events)

    async def _end(
        self, final: FinalStep, last: ModelStep | None, events: tuple[OutgoingEvent, ...] = ()
    ) -> None:
        try:
            number = await self.record.finish(final, last, events)
        except AppError as error:
            if isinstance(error, SessionConflictError):
                if self.record.given_up is None:
                    # Somebody else ended it: readers look in the record.
                    return
                # The write that was given up was done: the record goes on from there when it is taken up.
                error = self.record.given_up
            # Not kept: the client must not take it for kept. The lease runs out and frees the session.
            _log.warning("turn end not recorded", extra={"code": error.code})
            self.unrecorded = error
            at = unrecorded_at(self.record.next_number)
            # Elsewhere the record is looked at, and it may yet go on.
            self.feed.send(ErrorUpdate(at, error.message, error.code, error.retryable), here_only=True)
            return
        self.feed.send(end_of(number, final, self.record.turn))
