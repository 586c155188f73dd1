"""What a model is sent of a session that may be of any length: a bounded window over it, and its summary.

Turns are folded into the summary when they are more than the window holds, and then down to half of it, so
that a summary is made once in many turns. The summary never covers the newest turn, which may still be taken
up again, nor one that has not ended.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from shared.agent.digest import TurnDigest, digest
from shared.agent.history import past_messages
from shared.agent.shorten import PAST_VALUE, fit_messages, shorten_message
from shared.agent.summary import Summariser
from shared.agent.tokens import tokens_of, tokens_of_text, tokens_of_tools
from shared.errors import AppError
from shared.keys import SessionKey
from shared.messages import Message, ToolSpec, Usage
from shared.model.port import ChatModel
from shared.session import Summary
from shared.sessions.page import Page
from shared.turn import UNFINISHED, Turn

_log = logging.getLogger(__name__)

# The part of the messages' room that earlier turns may take; the running turn has at least the rest.
_PAST_SHARE = 0.5
# With any settings the running turn gets this much.
_LEAST_ROOM = 4_000
# The model's reply, and what the prompt gets added besides the summary.
_RESERVE = 1_000
_PAGE = 100
# Pages of turns read to heal a gap; what is older than these stays lost.
_MOST_PAGES = 50


class TurnList(Protocol):
    """Where turns are read that the history given does not reach: part of the session store."""

    async def list_turns(self, *, key: SessionKey, limit: int, cursor: str | None) -> Page[Turn]:
        """See `TurnStore.list_turns`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What the model sees of the turns before the running one.

    `past` are the messages of the newest of them, `summary` stands for those before; `grown` says that it
    reaches further than the one that was given and is to be saved. `usage` is what making it took. `room` is
    how many estimated tokens all messages may take.
    """

    past: tuple[Message, ...] = ()
    summary: Summary | None = None
    grown: bool = False
    usage: Usage = field(default_factory=Usage)
    room: int

    def fit(self, current: Sequence[Message]) -> tuple[Message, ...]:
        """The messages for the next model call: `past` and the running turn's so far, inside the room."""
        return fit_messages(self.past, current, self.room)


class ContextWindow:
    """Prepares what the model sees; keeps nothing between turns.

    `max_messages` bounds the earlier turns' messages, `max_tokens` all that a model call sends (estimated as
    in tokens.py). Models named in `rule_models` have no language: their sessions are summed up by rules.
    """

    def __init__(
        self,
        *,
        store: TurnList,
        max_messages: int,
        max_tokens: int,
        summary_seconds: float = 30.0,
        rule_models: frozenset[str] = frozenset({"offline-planner"}),
    ) -> None:
        self._store = store
        self._max_messages = max_messages
        self._max_tokens = max_tokens
        self._summary_seconds = summary_seconds
        self._rule_models = rule_models

    @property
    def history_messages(self) -> int:
        """What to ask `begin_turn` for: twice the window, so that what is to be folded is at hand."""
        return 2 * self._max_messages

    async def prepare(
        self,
        *,
        turn: Turn,
        history: Sequence[Turn],
        summary: Summary | None,
        model: ChatModel,
        system: str,
        specs: Sequence[ToolSpec],
    ) -> Prepared:
        """What the model sees before `turn`, once a turn, before its first model call.

        `history` and `summary` are BegunTurn's; `system` is the prompt without the summary. The summary is
        made by `model` under the turn's model name; a failure of that call, or of reading turns that the
        history lacks, never fails the turn.
        """
        known = summary.through if summary else 0
        history = [old for old in history if known < old.number < turn.number]
        before = await self._missing(turn.key, known, history)
        overhead = tokens_of_text(system) + tokens_of_tools(specs) + _RESERVE
        room = max(_LEAST_ROOM, self._max_tokens - overhead)
        kept, past = self._window(history, int(room * _PAST_SHARE))
        gone = history[: len(history) - len(kept)]
        prepared = Prepared(past=past, summary=summary, room=room)
        if before is not None:
            # Without the turns between, a summary that goes on after them would hide that they are missing.
            through = gone[-1].number if gone else max(known, history[0].number - 1 if history else 0)
            folds = (*before, *map(digest, gone))
            prepared = await self._folded(prepared, turn, model, folds, through)
        summed = prepared.summary.text if prepared.summary else ""
        return replace(prepared, room=max(_LEAST_ROOM, room - tokens_of_text(summed)))

    async def _folded(
        self,
        prepared: Prepared,
        turn: Turn,
        model: ChatModel,
        turns: Sequence[TurnDigest],
        through: int,
    ) -> Prepared:
        """With these turns folded into the summary, which then covers all turns up to `through`."""
        text, known = "", 0
        if prepared.summary is not None:
            text, known = prepared.summary.text, prepared.summary.through
        if through <= known:
            return prepared
        usage = Usage()
        if turns:
            summariser = Summariser(
                model=None if model.name in self._rule_models else model,
                model_name=turn.request.model or model.name,
                seconds=self._summary_seconds,
            )
            folded = await summariser.fold(text, turns)
            text, usage = folded.text, folded.usage
        return replace(prepared, summary=Summary(text=text, through=through), grown=True, usage=usage)

    def _window(self, history: Sequence[Turn], room: int) -> tuple[Sequence[Turn], tuple[Message, ...]]:
        """The newest turns that stay, with their messages."""
        whole = [tuple(past_messages((turn,))) for turn in history]
        if self._holds(whole, self._max_messages, room):
            return history, _joined(whole)
        short = [tuple(shorten_message(m, PAST_VALUE) for m in messages) for messages in whole[:-1]]
        turns = [*short, *(_newest_messages(messages, self._max_messages) for messages in whole[-1:])]
        first = 0
        if not self._holds(turns, self._max_messages, room):
            last = _first_that_may_not_go(history)
            while first < last and not self._holds(turns[first:], self._max_messages // 2, room // 2):
                first += 1
        return history[first:], _joined(turns[first:])

    @staticmethod
    def _holds(turns: Sequence[tuple[Message, ...]], messages: int, room: int) -> bool:
        return sum(map(len, turns)) <= messages and sum(map(tokens_of, turns)) <= room

    async def _missing(
        self, key: SessionKey, known: int, history: Sequence[Turn]
    ) -> tuple[TurnDigest, ...] | None:
        """The ended turns between the summary and the history, oldest first; None: they could not be read.

        There are some where more was said than a history read reaches before it was ever folded: by an
        instance that died before it saved the summary, or before there were summaries. The number of a turn
        that was rolled back leaves the same gap with nothing in it.
        """
        if not history or history[0].number <= known + 1:
            return ()
        found: dict[int, TurnDigest] = {}
        cursor: str | None = None
        try:
            for _ in range(_MOST_PAGES):
                page = await self._store.list_turns(key=key, limit=_PAGE, cursor=cursor)
                for old in page.items:
                    if known < old.number < history[0].number and old.status not in UNFINISHED:
                        found[old.number] = digest(old)
                cursor = page.next_cursor
                if cursor is None or (page.items and page.items[-1].number <= known + 1):
                    break
        except AppError as error:
            _log.warning("turns before the window not read", extra={"code": error.code})
            return None
        return tuple(found[number] for number in sorted(found))


def _first_that_may_not_go(history: Sequence[Turn]) -> int:
    """The index of the first turn that no summary may cover: the newest, or one that has not ended."""
    unfinished = (i for i, turn in enumerate(history) if turn.status in UNFINISHED)
    return min(next(unfinished, len(history)), len(history) - 1)


def _newest_messages(messages: tuple[Message, ...], most: int) -> tuple[Message, ...]:
    """A turn's messages without its first calls and their results, where they are too many."""
    extra = len(messages) - most
    if extra <= 0:
        return messages
    # The user's message stays; calls and results go in pairs.
    return (messages[0], *messages[1 + extra + extra % 2 :])


def _joined(turns: Sequence[tuple[Message, ...]]) -> tuple[Message, ...]:
    return tuple(message for messages in turns for message in messages)
