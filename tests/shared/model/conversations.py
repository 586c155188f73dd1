"""A conversation with the offline planner whose tools answer by a script."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from shared.messages import Message, TextPart, ToolCall, ToolFault, ToolResult, ToolSpec
from shared.model.offline.plan import next_reply
from shared.model.port import ModelRequest
from shared.tools.analyze_code import analyze_code
from shared.tools.browse_web import browse_web
from shared.tools.create_bot_template import create_bot_template
from shared.tools.edit_artifact import edit_artifact
from shared.tools.get_documentation import get_documentation
from shared.tools.list_artifacts import list_artifacts
from shared.tools.list_documentation import list_documentation
from shared.tools.port import Tool
from shared.tools.read_artifact import read_artifact
from shared.tools.save_artifact import save_artifact
from shared.tools.search_documentation import search_documentation
from shared.tools.templates.catalog import STRATEGIES
from shared.tools.templates.fields import as_json

REAL_TOOLS: dict[str, Tool] = {
    tool.name: tool
    for tool in (
        search_documentation, list_documentation, get_documentation, browse_web, create_bot_template,
        analyze_code, save_artifact, read_artifact, list_artifacts, edit_artifact,
    )
}  # fmt: skip
LATER_TOOLS = ("analyze_market", "backtest_bot", "verify_bot", "deploy_bot")
ALL = (*REAL_TOOLS, *LATER_TOOLS)

# What a later tool takes, as far as the planner may know: it must build its arguments by the schema.
_LATER_SCHEMAS: dict[str, dict[str, Any]] = {
    "analyze_market": {"symbol": {}, "timeframe": {}, "exchange": {}, "days": {}},
    "backtest_bot": {"days": {}},
    "verify_bot": {},
    "deploy_bot": {"name": {}, "instance": {}, "unverified": {}},
}

Answer = Callable[[ToolCall], Any]


class Refused(Exception):
    """A scripted tool's error."""


def spec(name: str) -> ToolSpec:
    """The tool as the planner sees it."""
    if name in REAL_TOOLS:
        tool = REAL_TOOLS[name]
        return ToolSpec(
            name=name,
            description=tool.description,
            input_schema=tool.arguments_model.model_json_schema(),
            output_schema={},
        )
    return ToolSpec(
        name=name,
        description=name,
        input_schema={"type": "object", "properties": _LATER_SCHEMAS[name]},
        output_schema={},
        requires_approval=name == "deploy_bot",
    )


def build_answer(call: ToolCall) -> dict[str, Any]:
    """What create_bot_template answers, without its files; refuses what the catalogue refuses."""
    strategy = STRATEGIES[call.arguments["strategy_type"]]
    model = strategy.model.model_validate(call.arguments.get("parameters") or {})
    bot_type = call.arguments.get("bot_type", "scheduled")
    values = {name: as_json(value) for name, value in dict(model).items()}
    values["schedule"] = values["schedule"] or "1 * * * *"
    del values["poll_seconds" if bot_type == "scheduled" else "schedule"]
    symbol = values["symbol"].lower().replace("/", "-")
    return {
        "name": call.arguments.get("name") or f"{strategy.name.replace('_', '-')}-{symbol}",
        "version": "1.0.0",
        "strategy_type": strategy.name,
        "bot_type": bot_type,
        "parameters": values,
        "files": [
            {"filename": "bot-config.yaml", "version": 1, "outcome": "created"},
            {"filename": "strategy.py", "version": 1, "outcome": "created"},
        ],
        "notes": [],
    }


PASSAGE = {
    "title": "Backtesting",
    "heading": "Replaying candles from a file",
    "path": "backtesting.md",
    "url": "",
    "content": "The parameter `data_source` names a CSV file to replay.",
    "score": 1.0,
}

DEFAULT_ANSWERS: dict[str, Answer] = {
    "create_bot_template": build_answer,
    "search_documentation": lambda call: {"query": "", "results": [PASSAGE], "total_found": 1},
    "analyze_code": lambda call: {"quality_score": 97, "findings": [], "security_issues": [], "omitted": 0},
    "verify_bot": lambda call: {
        "verdict": "verified",
        "stages": [],
        "findings": [],
        "figures": {"trades": 31},
    },
}


@dataclass
class Talk:
    """The messages so far; `say` plays one turn to its end."""

    tools: tuple[str, ...] = ALL
    answers: dict[str, Answer] = field(default_factory=dict)
    allow_tools: bool = True
    messages: list[Message] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)

    def say(self, text: str) -> str:
        """The text of the turn's last reply; the turn's calls and replies are kept."""
        self.calls, self.replies = [], []
        self.messages.append(Message(role="user", parts=(TextPart(text=text),)))
        for _ in range(14):
            reply = next_reply(self.request())
            calls = tuple(
                ToolCall(id=f"c{len(self.messages)}-{i}", name=call.name, arguments=call.arguments)
                for i, call in enumerate(reply.calls)
            )
            self.calls += calls
            self.replies.append(reply.text)
            self.messages.append(Message(role="assistant", parts=(TextPart(text=reply.text), *calls)))
            if not calls:
                return reply.text
            self.messages.append(Message(role="tool", parts=tuple(map(self._answer, calls))))
        raise AssertionError(f"the planner does not come to an end: {[call.name for call in self.calls]}")

    def request(self) -> ModelRequest:
        """What the planner is asked next."""
        return ModelRequest(
            model="",
            system="",
            messages=tuple(self.messages),
            tools=tuple(spec(name) for name in self.tools),
            allow_tools=self.allow_tools,
        )

    @property
    def names(self) -> list[str]:
        """The tools that were called in the last turn, in order."""
        return [call.name for call in self.calls]

    def arguments(self, name: str) -> dict[str, Any]:
        """The arguments of the last turn's latest call of a tool."""
        return next(call.arguments for call in reversed(self.calls) if call.name == name)

    def _answer(self, call: ToolCall) -> ToolResult:
        if call.name in REAL_TOOLS:
            REAL_TOOLS[call.name].arguments_model.model_validate(call.arguments)
        answer = self.answers.get(call.name) or DEFAULT_ANSWERS.get(call.name)
        try:
            if answer is None:
                raise Refused(f"{call.name} is not scripted")
            value = answer(call)
        except (Refused, ValueError) as problem:
            fault = ToolFault(code="invalid_arguments", message=str(problem))
            return ToolResult(id=call.id, name=call.name, status="error", error=fault)
        return ToolResult(id=call.id, name=call.name, status="ok", result=value)


def refusing(message: str) -> Answer:
    """A tool that always fails with the message."""

    def answer(call: ToolCall) -> Any:
        raise Refused(message)

    return answer


def reading(files: dict[str, str]) -> Answer:
    """read_artifact over these files."""

    def answer(call: ToolCall) -> dict[str, Any]:
        name = call.arguments["filename"]
        if name not in files:
            raise Refused("there is no such file")
        return {"filename": name, "version": 1, "content": files[name], "next_start": None}

    return answer
