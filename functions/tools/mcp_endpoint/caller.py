"""Who an MCP request comes from, and whether it may come at all."""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.requests import Request

from shared.errors import InvalidRequestError, PermissionDeniedError
from shared.settings import Settings
from shared.web.origin import is_own_origin, is_private_host

SESSION_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
SESSION_HEADER = "x-session-id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The user of a request, and the session that its header names, if any."""

    user_id: str
    session_id: str | None


def session_of(request: Request) -> str | None:
    """The session that `X-Session-Id` names; raises InvalidRequestError when it cannot be one."""
    named = request.headers.get(SESSION_HEADER)
    if named is not None and not SESSION_ID.fullmatch(named):
        raise InvalidRequestError("X-Session-Id: 1 to 128 letters, digits, hyphens and underscores")
    return named or None


def check_origin(request: Request, settings: Settings) -> None:
    """Refuses what only a web page of somebody else would send.

    A page may reach a local server by DNS rebinding (MCP, Streamable HTTP, security warning): its requests
    carry the page's Origin, or a Host that is the page's own public name.

    Raises:
        PermissionDeniedError: the Origin is another site's, or, where nobody authenticates, the Host is a
            public name.
    """
    host = request.headers.get("host", "")
    origin = request.headers.get("origin")
    if origin is not None and not is_own_origin(origin, host):
        raise PermissionDeniedError("requests from pages of other sites are refused (Origin)")
    if settings.auth_mode == "none" and not settings.allow_unauthenticated and not is_private_host(host):
        raise PermissionDeniedError(
            "without authentication only a local name or an address is served here (Host); "
            "set AUTH_MODE=jwt, or ALLOW_UNAUTHENTICATED=true"
        )
