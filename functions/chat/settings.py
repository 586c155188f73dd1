"""The routes of the user's own settings: the model key that pays for this user's turns."""

from __future__ import annotations

from typing import Annotated

from pydantic import SecretStr, StringConstraints, field_validator
from starlette.requests import Request
from starlette.responses import Response

from shared.resources import resources
from shared.web.body import json_response, read_json
from shared.web.model import WireModel

# A key is sent in a header: printable ASCII, without blanks around it.
_Key = Annotated[SecretStr, StringConstraints(min_length=1, max_length=512)]


class ApiKeyBody(WireModel):
    """`POST /settings/api-key`."""

    api_key: _Key
    user_id: str | None = None

    @field_validator("api_key")
    @classmethod
    def _printable(cls, value: SecretStr) -> SecretStr:
        key = value.get_secret_value().strip()
        if not key or not (key.isascii() and key.isprintable()):
            raise ValueError("takes 1 to 512 printable ASCII characters")
        return SecretStr(key)


class ApiKeyStatusAnswer(WireModel):
    """`GET /settings/api-key/status`."""

    has_api_key: bool


class ApiKeyAnswer(WireModel):
    """What was done about the key, and whether there is one now."""

    message: str
    has_api_key: bool


async def api_key_status(request: Request) -> Response:
    """`GET /settings/api-key/status`."""
    user_id = await resources().authenticator.user_of(request)
    keys = await resources().user_keys()
    return json_response({"has_api_key": await keys.has(user_id)})


async def save_api_key(request: Request) -> Response:
    """`POST /settings/api-key`: stores or replaces the key."""
    body = await read_json(request, ApiKeyBody)
    user_id = await resources().authenticator.user_of(request, body.user_id)
    keys = await resources().user_keys()
    await keys.save(user_id, body.api_key.get_secret_value())
    return json_response({"message": "API key saved", "has_api_key": True})


async def delete_api_key(request: Request) -> Response:
    """`DELETE /settings/api-key`: done as well when there is none."""
    user_id = await resources().authenticator.user_of(request)
    keys = await resources().user_keys()
    await keys.delete(user_id)
    return json_response({"message": "API key deleted", "has_api_key": False})
