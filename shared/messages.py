"""What a model and we say to each other: parts, messages, tool calls, tool results, usage."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["user", "assistant", "tool"]

FinishReason = Literal[
    "stop",
    "tool_calls",
    "max_tokens",
    "safety",
    "malformed_tool_call",
    "empty",
    "tool_limit",
    "deadline",
    "cancelled",
    "error",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPart:
    """A piece of text; `signature` is the model's opaque token, to be returned unchanged with this part."""

    text: str
    signature: str | None = None
    kind: Literal["text"] = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """The model's request to run a tool; `signature` as in TextPart."""

    id: str
    name: str
    arguments: dict[str, Any]
    signature: str | None = None
    kind: Literal["tool_call"] = "tool_call"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFault:
    """Why a tool call failed, in words the model can act on."""

    code: str
    message: str
    retryable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """Our answer to the tool call of the same id.

    `result` is the tool's JSON value when status is `ok`, `error` is set when it is `error`;
    `artifacts` names the files the call saved; `untrusted` marks text that came from outside (pages,
    files, logs), which a language model must be shown as fenced data.
    """

    id: str
    name: str
    status: Literal["ok", "error"]
    result: Any = None
    error: ToolFault | None = None
    duration_ms: int = 0
    artifacts: tuple[str, ...] = ()
    untrusted: bool = False
    kind: Literal["tool_result"] = "tool_result"


Part = TextPart | ToolCall | ToolResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One entry of the history a model sees.

    user: TextParts. assistant: TextParts and ToolCalls as the model sent them. tool: ToolResults.
    """

    role: Role
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The text parts, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tool calls, in the model's order."""
        return tuple(part for part in self.parts if isinstance(part, ToolCall))


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one or several model calls; thoughts count as output."""

    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """What a model or a caller needs to know to call a tool; schemas are JSON Schema objects."""

    name: str
    description: str
    input_schema: dict[str, Any] = field(hash=False)
    output_schema: dict[str, Any] = field(hash=False)
    requires_approval: bool = False
