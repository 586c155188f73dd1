"""The bridge's health and metrics: NATS, the receiver of its events, and the lag. No database is asked."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import cache

from starlette.requests import Request
from starlette.responses import Response

from shared.clock import utc_now
from shared.errors import AppError
from shared.events.bridge.bridge import Bridge
from shared.resources import resources
from shared.version import VERSION
from shared.web.body import json_response
from shared.web.health import CHECK_SECONDS, Health
from shared.web.services import require_direct


async def health(request: Request) -> Response:
    """`GET /health`: `degraded` while NATS is away or the receiver takes nothing; `lag` null when unknown."""
    bridge = _configured()
    status, report = await _health(bridge).report()
    report["lag"] = None if bridge is None else bridge.figures.lag
    return json_response(report, status=status)


async def metrics(request: Request) -> Response:
    """`GET /metrics`: Prometheus' text format."""
    await require_direct(request)
    bridge = _configured()
    if bridge is not None:
        await lag_now(bridge)
    return Response(resources().telemetry.text(), media_type="text/plain; version=0.0.4")


async def lag_now(bridge: Bridge) -> int | None:
    """What waits in NATS at this moment; None when the broker does not say."""
    with suppress(AppError, TimeoutError):
        async with asyncio.timeout(CHECK_SECONDS):
            return await bridge.look()
    return None


def _configured() -> Bridge | None:
    return resources().bridge() if resources().settings.nats_servers else None


@cache
def _health(bridge: Bridge | None) -> Health:
    async def nats() -> str:
        if bridge is None:
            return "not_configured"
        await bridge.check()
        return "healthy"

    async def receiver() -> str:
        if bridge is not None:
            await bridge.check_receiver()
        return "healthy"

    return Health(
        checks={"nats": nats, "events": receiver},
        version=VERSION,
        clock=utc_now,
        active_sessions=resources().active_sessions,
    )
