"""Who speaks on a WebSocket, and whether a page may open one at all.

Credentials come in the handshake's headers as with every route, or, since a browser's page cannot set those,
as `Sec-WebSocket-Protocol: bearer, <token>` (`apikey, <key>`), or in a first frame
`{"type": "auth", "token": …}` (`api_key`). Never in the address, which is logged along the way. They are
checked anew with each message: tokens run out and keys are revoked while a socket is open. A further `auth`
frame renews them.
"""

from __future__ import annotations

from typing import Any, Literal

from starlette.websockets import WebSocket

from shared.errors import PermissionDeniedError, UnauthenticatedError
from shared.resources import resources
from shared.settings import Settings
from shared.web.auth import Credential, credential_of
from shared.web.origin import is_loopback_host, is_own_origin, is_private_host

_SCHEMES: dict[str, Literal["bearer", "apikey"]] = {"bearer": "bearer", "apikey": "apikey"}
_MAX_CREDENTIAL = 8192


class SocketCaller:
    """The user of one socket: with credentials always the same one, without any as each message says."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._settings = resources().settings
        self._authenticator = resources().authenticator
        self._renewed: Credential | None = None
        self._user: str | None = None
        offered: list[str] = list(socket.scope.get("subprotocols", ()))
        self.subprotocol: str | None = None
        scheme = _SCHEMES.get(offered[0].lower()) if len(offered) >= 2 else None
        if scheme is not None:
            # The handshake must be answered with one of the offered names, or a browser ends it.
            self.subprotocol = offered[0]
            self._renewed = Credential(scheme, offered[1])

    @property
    def must_say_who(self) -> bool:
        """Whether the handshake had no credentials where there must be some."""
        return (
            self._settings.auth_mode != "none"
            and self._renewed is None
            and credential_of(self._socket.headers) is None
        )

    @property
    def may_say_who(self) -> bool:
        """Whether the first message may still tell the user, as nobody has to prove anything."""
        return self._settings.auth_mode == "none" and "user_id" not in self._socket.query_params

    async def user(self, claimed: str | None = None) -> str:
        """The user; raises as `Authenticator.user_of`, also when credentials have become another user's."""
        if self._renewed is not None and self._settings.auth_mode != "none":
            user = await self._authenticator.user_by(self._renewed)
        else:
            user = await self._authenticator.user_of(self._socket, claimed)
        if self._settings.auth_mode != "none":
            if self._user not in (None, user):
                raise UnauthenticatedError("these credentials are another user's")
            self._user = user
        return user

    async def renew(self, frame: dict[str, Any]) -> None:
        """Takes the credentials of an `auth` frame in place of those before.

        Raises:
            UnauthenticatedError: they do not hold, or are another user's.
        """
        token, key = frame.get("token"), frame.get("api_key")
        value = token if token is not None else key
        if not isinstance(value, str) or not 0 < len(value) <= _MAX_CREDENTIAL:
            raise UnauthenticatedError("auth: send token or api_key")
        self._renewed = Credential("bearer" if token is not None else "apikey", value)
        await self.user()


def check_origin(socket: WebSocket, settings: Settings) -> None:
    """Refuses a socket that a page of another site opens.

    Browsers let any page open a socket to any host and tell its Origin; other clients send none. With
    AUTH_MODE none a foreign page would act as the user of this machine. So only this host's own pages may, on
    this machine any page of it, and WEBSOCKET_ORIGINS; and no public name made to point here may stand
    in the Host. With credentials a page has nothing that the browser would add by itself (there are no
    cookies), so there the list counts only when it is set.

    Raises:
        PermissionDeniedError: the page's site, or the Host, may not.
    """
    host = socket.headers.get("host", "")
    origin = socket.headers.get("origin")
    listed = settings.websocket_origins
    is_open = settings.auth_mode == "none"
    if origin is not None and (is_open or listed) and "*" not in listed:
        own = is_own_origin(origin, host) and (_host_of(origin) == host or is_loopback_host(host))
        if not own and origin.lower().rstrip("/") not in {one.lower().rstrip("/") for one in listed}:
            raise PermissionDeniedError("sockets from pages of other sites are refused (Origin)")
    if is_open and not settings.allow_unauthenticated and not is_private_host(host):
        raise PermissionDeniedError(
            "without authentication only a local name or an address is served here (Host); "
            "set AUTH_MODE=jwt, or ALLOW_UNAUTHENTICATED=true"
        )


def _host_of(origin: str) -> str:
    return origin.partition("://")[2]
