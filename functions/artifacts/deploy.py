"""`POST /artifacts/deploy/{sid}`: the user deploys, which is his yes, also to an unverified bot."""

from __future__ import annotations

import asyncio

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from functions.artifacts.credentials import idempotency_key, own_authorization
from shared.deployment.deployer import Order
from shared.errors import DeploymentInProgressError
from shared.ids import new_id
from shared.keys import SessionKey
from shared.resources import resources
from shared.verification.seal import State
from shared.web.app import note
from shared.web.body import json_response, read_json
from shared.web.model import WireModel

_ANSWER_SECONDS = 25.0


class DeployBody(WireModel):
    """What to deploy: the session's files, under the name of bot-config.yaml or another one."""

    name: str | None = Field(default=None, max_length=255)
    user_id: str | None = None


class DeployAnswer(WireModel):
    """What the platform accepted, and what is known of exactly these files (docs/verification.md)."""

    success: bool
    bot_id: str
    deployment_url: str
    verification: State


async def deploy(request: Request) -> Response:
    """`POST /artifacts/deploy/{sid}`; `Idempotency-Key` makes a repeat the same deployment."""
    body = await read_json(request, DeployBody)
    user_id = await resources().authenticator.user_of(request, body.user_id)
    session = SessionKey(user_id=user_id, session_id=request.path_params["session_id"])
    note(request, session_id=session.session_id[:128])
    key = idempotency_key(request) or new_id()
    order = Order(
        session=session,
        call_id=f"user {key}",
        name=body.name,
        unverified=True,
        authorization=own_authorization(request),
    )
    deployer = await resources().deployer()
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            known = await deployer.verification_of(session)
            deployed = await deployer.deploy(order)
    except TimeoutError as error:
        # It goes on, and a repeat finds what became of it.
        raise DeploymentInProgressError(
            "the platform takes its time: ask again with this Idempotency-Key",
            retry_after=5,
            idempotency_key=key,
        ) from error
    note(request, bot_id=deployed.bot_id, verification=known.state)
    answer = {
        "success": True,
        "bot_id": deployed.bot_id,
        "deployment_url": deployed.url,
        "verification": known.state,
    }
    return json_response(answer, status=201)
