"""The messages of a request as a plan needs them: this turn's calls and results, and the bot built before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shared.bots.crash_message import is_crash_message
from shared.messages import Message, ToolCall, ToolFault, ToolResult

# Our own questions; the answer to one completes the request that it was asked about.
STRATEGY_QUESTION = "Which strategy should the bot follow?"
LANGUAGE_QUESTION = "Shall I build it in {} instead?"
VALUES_QUESTION = "Which values shall I take instead?"
_QUESTIONS = (STRATEGY_QUESTION, LANGUAGE_QUESTION.split("{}", maxsplit=1)[0], VALUES_QUESTION)
_UNANSWERED = ToolFault(code="no_result", message="the call has no result")


@dataclass(frozen=True, slots=True)
class Done:
    """A tool call with its result."""

    call: ToolCall
    result: ToolResult

    @property
    def ok(self) -> bool:
        """Whether the tool did its work."""
        return self.result.status == "ok"

    @property
    def value(self) -> dict[str, Any]:
        """The tool's answer; empty when it failed or is no object."""
        return self.result.result if self.ok and isinstance(self.result.result, dict) else {}

    @property
    def problem(self) -> str:
        """What went wrong, in the tool's words."""
        return self.result.error.message if self.result.error else "the tool gave no reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """The session's bot as a result or its files tell it; `asked` are the parameters it was made by."""

    strategy: str
    name: str | None
    bot_type: str | None
    parameters: dict[str, Any]
    asked: dict[str, Any]
    language: str = "python"


class Conversation:
    """Messages up to and after the user's last one."""

    def __init__(self, messages: tuple[Message, ...]) -> None:
        last = max((i for i, message in enumerate(messages) if message.role == "user"), default=-1)
        self.earlier = messages[: max(last, 0)]
        self._turn = messages[last + 1 :]
        self.text = messages[last].text if last >= 0 else ""

    @cached_property
    def done(self) -> tuple[Done, ...]:
        """The calls of this turn in order, with their results."""
        return tuple(_pairs(self._turn))

    @property
    def rounds(self) -> int:
        """How many replies with tool calls this turn has had."""
        return sum(1 for message in self._turn if message.role == "assistant" and message.tool_calls)

    @property
    def is_first_answer(self) -> bool:
        """Whether nothing was answered yet in this session."""
        return not any(message.role == "assistant" for message in (*self.earlier, *self._turn))

    def of(self, name: str) -> tuple[Done, ...]:
        """This turn's calls of one tool."""
        return tuple(item for item in self.done if item.call.name == name)

    def last(self, name: str) -> Done | None:
        """This turn's latest call of one tool."""
        return next((item for item in reversed(self.done) if item.call.name == name), None)

    @cached_property
    def bots(self) -> tuple[Bot, ...]:
        """The bots that earlier turns built, oldest first: each build is one."""
        pairs = (item for item in _pairs(self.earlier) if item.call.name == "create_bot_template" and item.ok)
        return tuple(bot for bot in map(bot_of, pairs) if bot is not None)

    @cached_property
    def builds(self) -> tuple[Done, ...]:
        """The calls that wrote a bot's files, in this turn and before it, oldest first."""
        pairs = (*_pairs(self.earlier), *self.done)
        return tuple(item for item in pairs if item.call.name == "create_bot_template" and item.ok)

    @property
    def bot(self) -> Bot | None:
        """The bot that was built last in an earlier turn, None when the history holds none."""
        return self.bots[-1] if self.bots else None

    @cached_property
    def deployed(self) -> dict[str, Any] | None:
        """What the last deployment or start of an earlier turn gave, None when there was none."""
        return next(iter(self._deployments), None)

    @property
    def instance(self) -> dict[str, Any] | None:
        """The instance that an earlier turn started last, None when there is none or it was stopped."""
        told = (value.get("instance") for value in self._deployments)
        found = next((each for each in told if isinstance(each, dict) and each.get("bot_id")), None)
        return None if found is None or found.get("status") == "deleted" else found

    @cached_property
    def _deployments(self) -> tuple[dict[str, Any], ...]:
        """The results of deploy_bot in earlier turns, the last first."""
        done = [item for item in _pairs(self.earlier) if item.call.name == "deploy_bot" and item.ok]
        return tuple(item.value for item in reversed(done))

    @property
    def last_words(self) -> str:
        """What was said last before the user's message."""
        last = self.earlier[-1] if self.earlier else None
        return last.text if last is not None and last.role == "assistant" else ""

    @cached_property
    def stated_before(self) -> tuple[str, ...]:
        """What the user said in earlier turns, oldest first."""
        said = (message.text for message in self.earlier if message.role == "user")
        # A crash's message is none of the user's: a bot's words are in it.
        return tuple(text for text in said if not is_crash_message(text))

    @cached_property
    def pending_requests(self) -> tuple[str, ...]:
        """The user's messages that our last questions were about, oldest first; empty when we asked none."""
        requests: list[str] = []
        asked = False
        for message in reversed(self.earlier):
            if message.role == "user":
                if not asked or is_crash_message(message.text):
                    break
                requests.insert(0, message.text)
                asked = False
            elif message.role == "assistant" and not asked:
                # A turn may have had other replies before the one that asked.
                asked = any(question in message.text for question in _QUESTIONS)
                if not asked:
                    break
        return tuple(requests)


def bot_of(item: Done) -> Bot | None:
    """The bot that a call of create_bot_template made; None when call and result do not say the strategy."""
    arguments, value = item.call.arguments, item.value
    strategy = value.get("strategy_type") or arguments.get("strategy_type")
    if not isinstance(strategy, str):
        return None
    parameters = value.get("parameters") or arguments.get("parameters") or {}
    asked = arguments.get("parameters")
    return Bot(
        strategy=strategy,
        name=_text(value.get("name") or arguments.get("name")),
        bot_type=_text(value.get("bot_type") or arguments.get("bot_type")),
        parameters=dict(parameters) if isinstance(parameters, dict) else {},
        asked=dict(asked) if isinstance(asked, dict) else {},
        language=_text(value.get("language") or arguments.get("language")) or "python",
    )


def _pairs(messages: tuple[Message, ...]) -> Iterator[Done]:
    results = {part.id: part for m in messages for part in m.parts if isinstance(part, ToolResult)}
    for message in messages:
        for call in message.tool_calls if message.role == "assistant" else ():
            lost = ToolResult(id=call.id, name=call.name, status="error", error=_UNANSWERED)
            yield Done(call, results.get(call.id, lost))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
