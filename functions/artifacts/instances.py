"""`/artifacts/deploy/{sid}/instances`: the user starts, changes and stops his bots by himself."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from functions.artifacts.credentials import idempotency_key, own_authorization
from shared.deployment.evidence import Status
from shared.deployment.instance import Act, Instance, InstanceOrder
from shared.errors import DeploymentInProgressError
from shared.ids import new_id
from shared.keys import SessionKey
from shared.resources import resources
from shared.sessions.cursor import read_cursor, write_cursor
from shared.web.app import note
from shared.web.body import int_parameter, json_response, next_page, read_json
from shared.web.model import WireModel

_ANSWER_SECONDS = 25.0
_LIMIT = 50


class ChangeBody(WireModel):
    """What an instance gets; what is left out stays as it is, also inside `config`."""

    name: str | None = Field(default=None, max_length=255)
    version: str | None = Field(default=None, max_length=60)
    schedule: str | None = Field(default=None, max_length=200)
    config: dict[str, Any] | None = None
    user_id: str | None = None


class StartBody(ChangeBody):
    """What to start: the bot that the session deployed last, or another one of its own."""

    custom_bot: str | None = Field(default=None, max_length=255)


class InstanceAnswer(WireModel):
    """An instance, and what there is evidence for; what is not known is left out."""

    bot_id: str | None = None
    name: str
    type: str
    version: str
    schedule: str | None = None
    created_at: str
    status: Status
    status_since: str | None = None
    evidence: str | None = None
    cause: str | None = None


async def start_instance(request: Request) -> Response:
    """`POST /artifacts/deploy/{sid}/instances`; `Idempotency-Key` makes a repeat the same instance."""
    body = await read_json(request, StartBody)
    return await _done(request, "start", body, custom_bot=body.custom_bot, status=201)


async def change_instance(request: Request) -> Response:
    """`PUT /artifacts/deploy/{sid}/instances/{bot_id}`."""
    return await _done(request, "change", await read_json(request, ChangeBody))


async def stop_instance(request: Request) -> Response:
    """`DELETE /artifacts/deploy/{sid}/instances/{bot_id}`."""
    return await _done(request, "stop", ChangeBody(user_id=request.query_params.get("user_id")))


async def list_instances(request: Request) -> Response:
    """`GET /artifacts/deploy/{sid}/instances`, the newest first."""
    limit = int_parameter(request, "limit", _LIMIT, low=1, high=200)
    cursor = request.query_params.get("cursor")
    before = str(read_cursor(cursor, str)[0]) if cursor is not None else None
    found = await (await resources().instances()).list(await _session(request))
    left = [instance for instance in found if before is None or instance.place < before]
    more = write_cursor(left[limit - 1].place) if len(left) > limit else None
    return json_response([instance.wire() for instance in left[:limit]], headers=next_page(request, more))


async def get_instance(request: Request) -> Response:
    """`GET /artifacts/deploy/{sid}/instances/{bot_id}`."""
    session = await _session(request)
    instance = await (await resources().instances()).get(session, request.path_params["bot_id"])
    return json_response(instance.wire())


async def _done(
    request: Request, act: Act, body: ChangeBody, *, custom_bot: str | None = None, status: int = 200
) -> Response:
    session = await _session(request, body.user_id)
    key = idempotency_key(request) or new_id()
    order = InstanceOrder(
        session=session,
        call_id=f"user {key}",
        act=act,
        bot_id=request.path_params.get("bot_id"),
        name=body.name,
        custom_bot=custom_bot,
        version=body.version,
        schedule=body.schedule,
        config=body.config,
        authorization=own_authorization(request),
    )
    instance = await _in_time(order, key)
    note(request, bot_id=instance.bot_id)
    return json_response(instance.wire(), status=status)


async def _in_time(order: InstanceOrder, key: str) -> Instance:
    instances = await resources().instances()
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await instances.do(order)
    except TimeoutError as error:
        # It goes on, and a repeat finds what became of it.
        raise DeploymentInProgressError(
            "the platform takes its time: ask again with this Idempotency-Key",
            retry_after=5,
            idempotency_key=key,
        ) from error


async def _session(request: Request, user_id: str | None = None) -> SessionKey:
    user = await resources().authenticator.user_of(request, user_id)
    session = SessionKey(user_id=user, session_id=request.path_params["session_id"])
    note(request, session_id=session.session_id[:128])
    return session
