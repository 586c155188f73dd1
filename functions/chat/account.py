"""What users ask about all that is kept of them: `GET .../export` and `DELETE /chat/user`."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from functions.chat.messages import messages_of
from functions.chat.sessions import SESSION_ID
from shared.account.erasure import Erasure, ErasureReport
from shared.account.export import Export
from shared.artifacts.zipped import begun
from shared.errors import SessionNotFoundError, UnprocessableError
from shared.ids import new_id
from shared.resources import resources
from shared.web.app import note
from shared.web.body import flag, int_parameter, json_response, read_json
from shared.web.model import WireModel

DEFAULT_SECONDS = 50
MAX_SECONDS = 300


class ErasureBody(WireModel):
    """`DELETE /chat/user`: `confirm` is the user's own id, as the credentials have it."""

    confirm: str = Field(min_length=1, max_length=512)
    user_id: str | None = None


class ErasureAnswer(WireModel):
    """What was erased, or would be; not `complete`: the next call goes on."""

    erased: dict[str, int]
    files: int
    held_sessions: list[str]
    complete: bool


async def export_session(request: Request) -> StreamingResponse:
    """`GET /chat/sessions/{id}/export`."""
    user_id = await resources().authenticator.user_of(request)
    session_id = request.path_params["session_id"]
    if not SESSION_ID.fullmatch(session_id):
        raise SessionNotFoundError("there is no such session")
    note(request, session_id=session_id)
    pieces = (await open_export(user_id)).session(session_id)
    return await _zip(pieces, f"session-{session_id}.zip")


async def export_user(request: Request) -> StreamingResponse:
    """`GET /chat/user/export`: all of the user's sessions."""
    user_id = await resources().authenticator.user_of(request)
    return await _zip((await open_export(user_id)).everything(), "sessions.zip")


async def erase_user(request: Request) -> Response:
    """`DELETE /chat/user` `?dry_run=` `&seconds=`."""
    body = await read_json(request, ErasureBody)
    user_id = await resources().authenticator.user_of(request, body.user_id)
    if body.confirm != user_id:
        raise UnprocessableError("confirm: takes your own user id, and erases all that is kept of you")
    seconds = int_parameter(request, "seconds", DEFAULT_SECONDS, low=1, high=MAX_SECONDS)
    report = await erase(user_id, seconds=seconds, dry=flag(request, "dry_run"))
    note(request, erased=sum(report.records.values()), files=report.objects, complete=report.complete)
    return json_response(report_wire(report))


async def open_export(user_id: str) -> Export:
    """An export of the user, to be used once."""
    store, library = await resources().store(), await resources().artifacts()
    return Export(store=store, library=library, messages_of=messages_of, user_id=user_id)


async def erase(user_id: str, *, seconds: float, dry: bool) -> ErasureReport:
    """Erases the user for about so long, here and in this process; see `Erasure.run`."""
    store, objects = await resources().store(), await resources().objects()
    erasure = Erasure(store=store, objects=objects, clock=resources().clock, holder=new_id())
    report = await erasure.run(user_id=user_id, seconds=seconds, dry=dry)
    if not dry:
        resources().forget_user(user_id)
    return report


def report_wire(report: ErasureReport) -> dict[str, object]:
    """The report as the route answers it."""
    return {
        "erased": dict(sorted(report.records.items())),
        "files": report.objects,
        "held_sessions": report.held_sessions,
        "complete": report.complete,
    }


async def _zip(pieces: AsyncIterator[bytes], filename: str) -> StreamingResponse:
    # What fails before the first piece is still answered with an error.
    return StreamingResponse(
        await begun(pieces),
        media_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="{filename}"',
            "Cache-Control": "no-store",
        },
    )
