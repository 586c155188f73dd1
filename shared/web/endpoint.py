"""A route of the contract as one value: what it serves, what it takes, what it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query parameter, for the OpenAPI document."""

    name: str
    description: str
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "string"})
    required: bool = False


USER_ID = Query(name="user_id", description="the user, where AUTH_MODE is none")
LIMIT = Query(
    name="limit",
    description="how many, at most",
    schema={"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
)
DRY_RUN = Query(name="dry_run", description="count only", schema={"type": "boolean"})
CURSOR = Query(name="cursor", description="where to go on, from the Link header of the page before")


def seconds_query(*, default: int, most: int) -> Query:
    """About how long a call that works through much may take."""
    return Query(
        name="seconds",
        description="about how long to work",
        schema={"type": "integer", "minimum": 1, "maximum": most, "default": default},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One method on one path. `body` and `answer` are pydantic types; `media_type` is the answer's."""

    method: str
    path: str
    handler: Handler
    summary: str
    body: type[BaseModel] | None = None
    answer: Any = None
    status: int = 200
    media_type: str = "application/json"
    query: tuple[Query, ...] = ()
    errors: tuple[int, ...] = ()
    public: bool = False
