"""Where a request comes from: pages of other sites, and names that only look like this machine's.

A browser sends a page's Origin with what the page asks for, and lets it open WebSockets to any host. A page
may also reach a local server under its own public name (DNS rebinding): the Host is that name then.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit


def is_own_origin(origin: str, host: str) -> bool:
    """Whether the Origin is the page of this very host (its Host header), or of this machine."""
    try:
        parts = urlsplit(origin)
        name = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and (parts.netloc == host or _is_loopback(name))


def is_private_host(host: str) -> bool:
    """Whether no public DNS record can stand behind the Host: an address, or a name without a dot."""
    name = _name_of(host)
    return bool(name) and (_address(name) is not None or "." not in name or name.endswith(".localhost"))


def is_loopback_host(host: str) -> bool:
    """Whether the Host names this machine."""
    return _is_loopback(_name_of(host))


def is_loopback_address(address: str) -> bool:
    """Whether the address is this machine's own."""
    found = _address(address)
    return found is not None and found.is_loopback


def is_forwarded(headers: Mapping[str, str]) -> bool:
    """Whether something between has handed the request on, as load balancers do."""
    return any(name in headers for name in ("forwarded", "x-forwarded-for", "x-real-ip", "via"))


def _name_of(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(name: str) -> bool:
    return name == "localhost" or is_loopback_address(name)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
