"""Turns that nobody is there to watch: what marks them, and which tools they may have.

The mark is in the context that is recorded with the turn, so that it holds wherever the turn goes on. A user
who sets it himself has fewer tools in that turn, and nothing else.
"""

from __future__ import annotations

from shared.messages import ToolCall, ToolFault, ToolSpec
from shared.turn import TurnRequest

MARK = "automatic"
NOT_OFFERED = ToolFault(
    code="not_offered",
    message="this turn began by itself, so this tool cannot be used in it: tell the user what to ask for",
)
# A bot's log may name an address: who reads it unwatched must not be able to send anything there.
_REACHES_OUT = frozenset({"browse_web", "search_web", "suggest_bot"})


def is_automatic(request: TurnRequest) -> bool:
    """Whether the turn began by itself."""
    return MARK in request.context


def offered(specs: tuple[ToolSpec, ...], request: TurnRequest) -> tuple[ToolSpec, ...]:
    """The tools of the turn: one that began by itself has none that needs a yes or reaches outside."""
    if not is_automatic(request):
        return specs
    return tuple(spec for spec in specs if not spec.requires_approval and spec.name not in _REACHES_OUT)


def may_call(call: ToolCall, specs: tuple[ToolSpec, ...], request: TurnRequest) -> bool:
    """Whether the call may run: in a turn that began by itself only what was offered."""
    return not is_automatic(request) or any(spec.name == call.name for spec in specs)
