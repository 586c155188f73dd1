"""A connection to NATS: several servers, TLS, and a token, a password or a credentials file."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from shared.errors import PublishError

if TYPE_CHECKING:
    from nats.aio.client import Client

_log = logging.getLogger(__name__)

CONNECT_SECONDS = 4.0
CLOSE_SECONDS = 1.0
# A server that hangs is given up after two of these.
_PING_SECONDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsAccess:
    """Where NATS is and what lets us in; `servers` may hold a token or a password each.

    `ca_file` is believed instead of the system's authorities. `credentials_file` holds a user's JWT and seed.
    """

    servers: tuple[str, ...] = field(repr=False)
    ca_file: Path | None = None
    credentials_file: Path | None = None


async def connect(access: NatsAccess, *, gone: Callable[[], Awaitable[None]] | None = None) -> Client:
    """A connection that does not renew itself: whoever holds it makes another, after pauses of its own.

    `gone` is called when it is lost, or closed.

    Raises:
        PublishError: no server answers, or none lets us in; says nothing of the URL.
    """
    # The import takes long enough to be felt on the event loop, as does reading certificates.
    await asyncio.to_thread(import_module, "nats")
    # nkeys ships no types.
    import nkeys  # type: ignore[import-untyped]
    from nats.aio.client import Client
    from nats.errors import Error

    client = Client()
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await client.connect(
                list(access.servers),
                name="the0-agent",
                error_cb=_heard,
                closed_cb=gone,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=2,
                drain_timeout=2,
                ping_interval=_PING_SECONDS,
                **await asyncio.to_thread(_options, access),
            )
    # A file that holds no credentials makes the client stumble.
    except (Error, OSError, TimeoutError, ValueError, TypeError, nkeys.NkeysError) as error:
        await let_go(client)
        # The cause may quote the URL, which may hold a password.
        raise PublishError(f"NATS does not answer ({type(error).__name__})") from None
    return client


async def let_go(client: Client) -> None:
    """Closes the connection. One whose end is never told of, as after a failed TLS handshake, is left."""
    closing = asyncio.create_task(client.close())
    await asyncio.wait({closing}, timeout=CLOSE_SECONDS)
    closing.cancel()


def _options(access: NatsAccess) -> dict[str, Any]:
    options = _decoded(access.servers[0])
    if access.ca_file is not None:
        options["tls"] = ssl.create_default_context(cafile=str(access.ca_file))
    if access.credentials_file is not None:
        options["user_credentials"] = str(access.credentials_file)
    return options


def _decoded(server: str) -> dict[str, Any]:
    """What the client would send as it stands in the URL, percent-encoded."""
    parts = urlsplit(server)
    if "%" not in parts.netloc.rpartition("@")[0]:
        return {}
    user = unquote(parts.username or "")
    return {"token": user} if parts.password is None else {"user": user, "password": unquote(parts.password)}


async def _heard(error: Exception) -> None:
    _log.info("NATS connection", extra={"reason": type(error).__name__})
