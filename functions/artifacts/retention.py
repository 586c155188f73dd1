"""`POST /artifacts/retention` and the legal hold: for the scheduler and other services, not for users."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from shared.artifacts.retention import Retention
from shared.clock import utc_now
from shared.ids import new_id
from shared.keys import SessionKey
from shared.resources import resources
from shared.web.app import note
from shared.web.body import flag, int_parameter, json_response, read_json
from shared.web.model import WireModel
from shared.web.services import require_service

DEFAULT_SECONDS = 50
MAX_SECONDS = 1500


class RetentionAnswer(WireModel):
    """What the run did, or would do; not `complete`: the next call goes on from there."""

    deleted_versions: int
    deleted_sessions: int
    deleted_orphans: int
    kept: int
    complete: bool


class HoldBody(WireModel):
    """`PUT /artifacts/retention/holds`: whether retention leaves this session alone."""

    user_id: str = Field(min_length=1, max_length=512)
    session_id: str = Field(min_length=1, max_length=512)
    held: bool


class HoldAnswer(WireModel):
    """The session's hold."""

    held: bool


async def run_retention(request: Request) -> Response:
    """`POST /artifacts/retention` `?dry_run=` `&seconds=`."""
    await require_service(request)
    seconds = int_parameter(request, "seconds", DEFAULT_SECONDS, low=1, high=MAX_SECONDS)
    found = resources()
    retention = Retention(
        store=await found.store(),
        objects=await found.objects(),
        clock=utc_now,
        holder=new_id(),
        keep=timedelta(days=found.settings.artifact_retention_days),
    )
    report = await retention.run(seconds=seconds, dry=flag(request, "dry_run"))
    counts = asdict(report)
    note(request, **counts)
    return json_response(counts)


async def put_hold(request: Request) -> Response:
    """`PUT /artifacts/retention/holds`."""
    service = await require_service(request)
    body = await read_json(request, HoldBody)
    note(request, session_id=body.session_id[:128], held=body.held, service=service)
    store = await resources().store()
    key = SessionKey(user_id=body.user_id, session_id=body.session_id)
    await store.hold_session(key=key, held=body.held, now=utc_now())
    return json_response({"held": body.held})
