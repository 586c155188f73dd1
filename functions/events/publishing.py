"""Events out, on demand: `POST /events/publish`, for a scheduler where processes sleep between requests."""

from __future__ import annotations

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from shared.resources import resources
from shared.web.app import note
from shared.web.body import int_parameter, json_response
from shared.web.endpoint import seconds_query
from shared.web.services import require_service

DRAIN_SECONDS = 20
MOST_SECONDS = 300
SECONDS = seconds_query(default=DRAIN_SECONDS, most=MOST_SECONDS)


class PublishAnswer(BaseModel):
    """How many events were published now, and how many wait still."""

    published: int
    waiting: int


async def publish(request: Request) -> Response:
    """`POST /events/publish`: publishes what waits, for `seconds` at most.

    A destination that fails makes it 503 with the same counts, so that the scheduler shows it.
    """
    await require_service(request)
    seconds = int_parameter(request, "seconds", DRAIN_SECONDS, low=1, high=MOST_SECONDS)
    drained = await resources().relay().drain(seconds=seconds)
    counts = {"published": drained.published, "waiting": drained.waiting}
    note(request, **counts)
    if drained.error is not None:
        drained.error.details |= counts
        raise drained.error
    return json_response(counts)
