"""Who an MCP request comes from, and whether it may come at all."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request

from shared.errors import InvalidRequestError, PermissionDeniedError
from shared.settings import Settings

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
    if origin is not None and not _is_own(origin, host):
        raise PermissionDeniedError("requests from pages of other sites are refused (Origin)")
    if settings.auth_mode == "none" and not settings.allow_unauthenticated and not _is_private(host):
        raise PermissionDeniedError(
            "without authentication only a local name or an address is served here (Host); "
            "set AUTH_MODE=jwt, or ALLOW_UNAUTHENTICATED=true"
        )


def _is_own(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
        name = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and (parts.netloc == host or _is_loopback(name))


def _is_private(host: str) -> bool:
    """Whether no public DNS record can stand behind the name: an address, or a name without a dot."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return bool(name) and (_address(name) is not None or "." not in name or name.endswith(".localhost"))


def _is_loopback(name: str) -> bool:
    address = _address(name)
    return name == "localhost" or (address is not None and address.is_loopback)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
