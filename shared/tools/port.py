"""What a tool is, what it is given, and how one is declared.

A tool is one async function in one file:

    @tool(timeout=5.0)
    async def get_documentation(
        context: ToolContext,
        path: Annotated[str, Field(description="page path as list_documentation gives it")],
    ) -> Page:
        '''One sentence for the model: what it does and when to use it.'''

The input schema comes from the typed parameters after `context`, the output schema from the return type
(a pydantic model, dataclass, TypedDict or any other type that pydantic can serialise), the description
from the docstring. `runner.py` validates the arguments before the function is called.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model

from shared.artifacts.port import Artifacts
from shared.clock import Clock
from shared.errors import ToolInputError
from shared.keys import SessionKey
from shared.messages import ToolCall, ToolResult, ToolSpec
from shared.searching.port import WebSearch
from shared.sessions.outbox_port import EventOutbox
from shared.settings import Settings

if TYPE_CHECKING:
    import ssl


class Resolver(Protocol):
    """Turns host names into addresses and says which addresses may be connected to."""

    async def resolve(self, host: str, port: int) -> tuple[str, ...]:
        """The host's IP addresses as text; raises OSError when there are none."""
        ...

    def is_allowed(self, address: str) -> bool:
        """Whether a connection to this IP address may be made (public addresses only, in production)."""
        ...


class Dialer(Protocol):
    """Says where a connection to a checked address goes, and whose certificates are believed."""

    def endpoint(self, address: str, port: int) -> tuple[str, int]:
        """The address and port to connect to: the same two, in production; a local server's, in tests."""
        ...

    def tls_context(self) -> ssl.SSLContext:
        """A context that verifies certificates and host names."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolServices:
    """The open parts of the system that tools may use; tools open nothing themselves.

    `dialer` None stands for the real network; `web_search` None says that no search service is configured,
    `outbox` None that events cannot be stored.
    """

    artifacts: Artifacts
    settings: Settings
    resolver: Resolver
    clock: Clock
    dialer: Dialer | None = None
    web_search: WebSearch | None = None
    outbox: EventOutbox | None = None


@dataclass(slots=True, kw_only=True)
class ToolContext:
    """What one tool call is given.

    `session` is None when the caller named none: tools that save or read files then raise ToolInputError
    (use `require_session`). `saved` collects the filenames this call saved.
    """

    call_id: str
    session: SessionKey | None
    services: ToolServices
    saved: list[str] = field(default_factory=list)

    def require_session(self) -> SessionKey:
        """The session; raises ToolInputError when the call has none."""
        if self.session is None:
            raise ToolInputError("this tool works on a session's files: give a session_id")
        return self.session


ToolFunction = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A declared tool: its function, limits and, on first use, its schemas."""

    name: str
    description: str
    function: ToolFunction
    timeout: float
    requires_approval: bool
    read_only: bool
    untrusted: bool

    @cached_property
    def arguments_model(self) -> type[BaseModel]:
        """A strict-keys pydantic model of the parameters after the context."""
        hints = get_type_hints(self.function, include_extras=True)
        parameters = list(inspect.signature(self.function).parameters.values())[1:]
        fields: dict[str, Any] = {
            p.name: (hints[p.name], ... if p.default is p.empty else p.default) for p in parameters
        }
        return create_model(self.name, __config__=ConfigDict(extra="forbid"), **fields)

    @cached_property
    def result_adapter(self) -> TypeAdapter[Any]:
        """Serialises what the function returns."""
        return TypeAdapter(get_type_hints(self.function, include_extras=True)["return"])

    @cached_property
    def spec(self) -> ToolSpec:
        """The tool as a model or a caller sees it."""
        return ToolSpec(
            name=self.name,
            description=self.description,
            input_schema=_without_titles(self.arguments_model.model_json_schema()),
            output_schema=_without_titles(self.result_adapter.json_schema(mode="serialization")),
            requires_approval=self.requires_approval,
        )


def tool(
    *,
    timeout: float,
    requires_approval: bool = False,
    read_only: bool = True,
    untrusted: bool = False,
) -> Callable[[ToolFunction], Tool]:
    """Declares an async function as a tool; `timeout` is its deadline in seconds.

    `read_only` False marks a tool that changes the session's files or something outside;
    `untrusted` True one whose results carry text from outside (web pages, files, logs).
    """

    def declare(function: ToolFunction) -> Tool:
        return Tool(
            name=function.__name__,
            description=inspect.cleandoc(function.__doc__ or ""),
            function=function,
            timeout=timeout,
            requires_approval=requires_approval,
            read_only=read_only,
            untrusted=untrusted,
        )

    return declare


class ToolRunner(Protocol):
    """Runs tool calls; in process, or over HTTP in the tools function."""

    async def catalogue(self) -> tuple[ToolSpec, ...]:
        """Every tool there is, in a fixed order."""
        ...

    async def run(self, *, call: ToolCall, session: SessionKey | None) -> ToolResult:
        """The call's result; a tool that fails is a result with status `error`, never an exception.

        Raises:
            ToolNotFoundError: there is no such tool.
        """
        ...


def _without_titles(schema: Any) -> Any:
    """The schema without pydantic's generated titles, which cost tokens and tell a model nothing."""
    if isinstance(schema, dict):
        return {
            key: _without_titles(value)
            for key, value in schema.items()
            if not (key == "title" and isinstance(value, str))
        }
    if isinstance(schema, list):
        return [_without_titles(item) for item in schema]
    return schema


__all__ = [
    "Dialer",
    "Field",
    "Resolver",
    "Tool",
    "ToolContext",
    "ToolRunner",
    "ToolServices",
    "tool",
]
