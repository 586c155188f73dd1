"""Routes that only services may call: retention, pushes, drains, replays; metrics through a proxy."""

from __future__ import annotations

from starlette.requests import Request

from shared.resources import resources
from shared.web.app import note
from shared.web.origin import is_forwarded


async def require_direct(request: Request) -> None:
    """Returns when the request did not come by a public door: no proxy has handed it on.

    Through one, services alone are served; raises as `require_service` for others.
    """
    if is_forwarded(request.headers):
        await require_service(request)


async def require_service(request: Request) -> str:
    """The service that calls; raises as `Authenticator.service_of` when it is none.

    A handler of a service-only route calls it first.
    """
    service = await resources().authenticator.service_of(request)
    note(request, service=service)
    return service
