"""Routes that only services may call: retention, pushes, drains, replays."""

from __future__ import annotations

from starlette.requests import Request

from shared.resources import resources
from shared.web.app import note


async def require_service(request: Request) -> str:
    """The service that calls; raises as `Authenticator.service_of` when it is none.

    A handler of a service-only route calls it first.
    """
    service = await resources().authenticator.service_of(request)
    note(request, service=service)
    return service
