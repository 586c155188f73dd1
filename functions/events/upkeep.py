"""Upkeep on demand: `POST /events/upkeep`, for a scheduler where processes stand still between requests."""

from __future__ import annotations

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from shared.ids import new_id
from shared.resources import resources
from shared.upkeep import Upkeep
from shared.web.app import note
from shared.web.body import int_parameter, json_response
from shared.web.endpoint import seconds_query
from shared.web.services import require_service

DEFAULT_SECONDS = 50
MAX_SECONDS = 300
SECONDS = seconds_query(default=DEFAULT_SECONDS, most=MAX_SECONDS)


class UpkeepAnswer(BaseModel):
    """How many records that were over are gone; none also while another process is at it."""

    removed: int


async def upkeep(request: Request) -> Response:
    """`POST /events/upkeep`: ends turns that died with their process, and removes what is over its time.

    What ended turns have to tell is published before the answer, after which this instance may stand still.
    """
    await require_service(request)
    seconds = int_parameter(request, "seconds", DEFAULT_SECONDS, low=1, high=MAX_SECONDS)
    found = resources()
    let_go: list[bool] = []
    work = Upkeep(
        store=await found.store(), clock=found.clock, holder=new_id(), let_go=lambda: let_go.append(True)
    )
    removed = await work.run(seconds=seconds)
    if let_go:
        await found.publish_now()
    note(request, removed=removed)
    return json_response({"removed": removed})
