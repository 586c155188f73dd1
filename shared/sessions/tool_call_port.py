"""What the domain asks of the store of tool calls that a caller named by an id: each runs once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.keys import SessionKey
from shared.messages import ToolResult


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToolCall:
    """A tool call that a caller named, about to run; `arguments_hash` tells whether a repeat is the same.

    `lease_seconds` is how long the call may take: after that it counts as dead. `token` is the caller's own,
    never used before: it becomes the claim's.
    """

    key: SessionKey
    call_id: str
    name: str
    arguments_hash: str
    now: datetime
    lease_seconds: float
    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolClaim:
    """The right to run one tool call and to record its result; the token fences off earlier claims."""

    key: SessionKey
    call_id: str
    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedToolCall:
    """A tool call that another claim holds: finished with its result, or running while its lease lasts."""

    name: str
    arguments_hash: str
    result: ToolResult | None
    lease_until: datetime


class ToolCallStore(Protocol):
    """The record of tool calls that a caller named by an id: in a session an id runs once."""

    async def claim_tool_call(self, *, call: NewToolCall) -> ToolClaim | RecordedToolCall:
        """A claim when the id is new, or its call died (its lease ran out) and name and hash are the same.

        Otherwise the record that is there. Of two claims at once, one gets the record.

        Raises:
            SessionNotFoundError: the user has no such session.
        """
        ...

    async def load_tool_call(self, *, key: SessionKey, call_id: str) -> RecordedToolCall | None:
        """The record of an id, None when nothing was claimed or the claim was released."""
        ...

    async def complete_tool_call(self, *, claim: ToolClaim, result: ToolResult) -> None:
        """Records the result for good.

        Raises:
            SessionConflictError: the claim was released, or another has taken it over.
        """
        ...

    async def release_tool_call(self, *, claim: ToolClaim) -> None:
        """Frees the id of a call that did not come to a result; nothing happens when the claim was lost."""
        ...
