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

import hashlib
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model

from shared.approvals import ApprovalSigner, Grant
from shared.artifacts.port import Artifacts
from shared.clock import Clock
from shared.errors import ToolInputError
from shared.keys import SessionKey
from shared.messages import ToolCall, ToolResult, ToolSpec
from shared.sandbox.port import Sandbox
from shared.searching.port import WebSearch
from shared.sessions.inbound_port import BotHistory
from shared.sessions.outbox_port import EventOutbox
from shared.settings import Settings
from shared.shared_cache import SharedCache
from shared.tools.repeating import Repeated

if TYPE_CHECKING:
    import ssl

    from shared.deployment.deployer import Deployer
    from shared.deployment.instances import Instances
    from shared.verification.session import SessionVerifier


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
    `outbox` None that events cannot be stored, `approvals` None that no tool that needs a yes can run,
    `shared_cache` None that what tools read in public is not shared between instances, `deployer` and
    `instances` None that nothing can be deployed, `sandbox` None that no bot is run, `verifier` None that
    none can be verified, `history` None that no events of bots are kept.
    """

    artifacts: Artifacts
    settings: Settings
    resolver: Resolver
    clock: Clock
    dialer: Dialer | None = None
    web_search: WebSearch | None = None
    outbox: EventOutbox | None = None
    approvals: ApprovalSigner | None = None
    shared_cache: SharedCache | None = None
    deployer: Deployer | None = None
    instances: Instances | None = None
    sandbox: Sandbox | None = None
    verifier: SessionVerifier | None = None
    history: BotHistory | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOrigin:
    """Where a tool call comes from: the turn that makes it, and the user's yes where it needs one.

    `repeated` is set when the call may have run before, in a process that died.
    """

    turn_id: str
    grant: Grant | None = None
    repeated: Repeated | None = None


def effect_id(turn_id: str, call_id: str) -> str:
    """The id of a turn's tool call to the world outside: a model's own ids may come again in another turn."""
    return hashlib.sha256(f"{turn_id}/{call_id}".encode("utf-8", "surrogatepass")).hexdigest()[:40]


@dataclass(slots=True, kw_only=True)
class ToolContext:
    """What one tool call is given.

    `session` is None when the caller named none: tools that save or read files then raise ToolInputError
    (use `require_session`). `origin` is None when no turn makes the call; a tool that needs the user's yes
    has it in `origin.grant`, checked. What a call saves and sends names `turn_id`, so that it goes with a
    turn that is rolled back. `call_id` is the same when the call is repeated and no other call's: the key of
    whatever it does outside. `saved` collects the filenames this call saved.
    """

    call_id: str
    session: SessionKey | None
    services: ToolServices
    origin: CallOrigin | None = None
    saved: list[str] = field(default_factory=list)

    @property
    def turn_id(self) -> str | None:
        """The turn that makes the call."""
        return self.origin.turn_id if self.origin else None

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

    async def run(
        self, *, call: ToolCall, session: SessionKey | None, origin: CallOrigin | None = None
    ) -> ToolResult:
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
    "CallOrigin",
    "Dialer",
    "Field",
    "Resolver",
    "Tool",
    "ToolContext",
    "ToolRunner",
    "ToolServices",
    "effect_id",
    "tool",
]
