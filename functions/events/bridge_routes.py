"""What the NATS bridge serves: drains for a scheduler, pushes of Pub/Sub, its own health and metrics."""

from __future__ import annotations

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from functions.events.bridge_health import health, lag_now, metrics
from functions.events.publishing import DRAIN_SECONDS, MOST_SECONDS, SECONDS
from shared.events.catalog import is_for_subscribers
from shared.events.incoming import EventFormError, parse_event
from shared.resources import resources
from shared.web.app import note
from shared.web.body import int_parameter, json_response, read_bytes
from shared.web.endpoint import Endpoint
from shared.web.services import require_service
from shared.web.system import SYSTEM_ROUTES, function_app

# An event of ours is a few hundred bytes; Pub/Sub sends it in base64 with its envelope.
MAX_PUSH_BYTES = 2 * 1024 * 1024


class PullAnswer(BaseModel):
    """Messages taken, events that were accepted, and messages left to come again."""

    received: int
    forwarded: int
    failed: int


async def pull(request: Request) -> Response:
    """`POST /nats/pull`: hands on what waits in NATS, for about `seconds`.

    Messages that there is nothing to hand on of, as logs without errors, count as received alone.
    """
    await require_service(request)
    seconds = int_parameter(request, "seconds", DRAIN_SECONDS, low=1, high=MOST_SECONDS)
    bridge = resources().bridge()
    done = await bridge.drain(seconds=seconds)
    counts = {"received": done.received, "forwarded": done.forwarded, "failed": done.failed}
    # Alerts of the cloud read the lag of this line: nobody can ask each instance for its metrics there.
    note(request, **counts, dead_lettered=done.dead_lettered, lag=await lag_now(bridge))
    return json_response(counts)


async def publish(request: Request) -> Response:
    """`POST /nats/publish`: one event of the agent, as Pub/Sub pushes it, to NATS under its id.

    A repeat is stored once within the duplicate window of the stream. What is none of our events is answered
    2xx, so that it does not come for ever.
    """
    await require_service(request)
    body = await read_bytes(request, limit=MAX_PUSH_BYTES)
    try:
        event = parse_event(request.headers, body)
    except EventFormError as error:
        note(request, event_status="malformed")
        return json_response({"status": "malformed", "reason": str(error)})
    note(request, event_type=event.type, event_id=event.id)
    if not is_for_subscribers(event.type):
        return json_response({"status": "unknown_type"})
    bridge = resources().bridge()
    delivery = await resources().nats_publisher().publish((event,))
    if delivery.error is not None:
        raise delivery.error
    bridge.figures.published += 1
    return json_response({"status": "published"})


ROUTES: tuple[Endpoint, ...] = (
    Endpoint(
        method="POST",
        path="/nats/pull",
        handler=pull,
        summary="Hand on what waits in NATS (services only)",
        answer=PullAnswer,
        query=(SECONDS,),
        errors=(400, 401, 403, 503),
    ),
    Endpoint(
        method="POST",
        path="/nats/publish",
        handler=publish,
        summary="Publish an event of the agent that Pub/Sub pushes to NATS (services only)",
        errors=(401, 403, 413, 503),
    ),
    Endpoint(
        method="GET",
        path="/nats/health",
        handler=health,
        summary="Whether the bridge works, and its lag",
        public=True,
    ),
    Endpoint(
        method="GET",
        path="/nats/metrics",
        handler=metrics,
        summary="Prometheus metrics, with the bridge's lag of this moment",
        media_type="text/plain",
        public=True,
    ),
)
# Where the bridge is a service of its own, these are the paths of every function.
_OWN = (
    Endpoint(method="GET", path="/health", handler=health, summary="What works", public=True),
    Endpoint(method="GET", path="/metrics", handler=metrics, summary="Metrics", public=True),
)
_REPLACED = {endpoint.path for endpoint in _OWN}

app = function_app((*ROUTES, *_OWN, *(each for each in SYSTEM_ROUTES if each.path not in _REPLACED)))
