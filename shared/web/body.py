"""Reads and writes JSON: bounded, typed, with the wrong field named."""

from __future__ import annotations

from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from shared.errors import (
    InvalidRequestError,
    TooLargeError,
    UnprocessableError,
    UnsupportedMediaTypeError,
)

MAX_JSON_BYTES = 1024 * 1024

M = TypeVar("M", bound=BaseModel)


async def read_bytes(request: Request, *, limit: int) -> bytes:
    """The body; raises TooLargeError as soon as more than `limit` bytes are announced or have come."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise TooLargeError(f"the body has at most {limit} bytes", limit=limit)
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise TooLargeError(f"the body has at most {limit} bytes", limit=limit)
            chunks.append(chunk)
    except ClientDisconnect as error:
        raise InvalidRequestError("the body broke off") from error
    return b"".join(chunks)


async def read_json(request: Request, model: type[M], *, limit: int = MAX_JSON_BYTES) -> M:
    """The body as `model`.

    Raises:
        UnsupportedMediaTypeError: not JSON by its Content-Type.
        InvalidRequestError: not JSON (400).
        UnprocessableError: JSON of another shape (422); names each field and what it takes.
        TooLargeError: over `limit` bytes.
    """
    return parse(await _read_value(request, limit), model)


async def read_json_object(request: Request) -> dict[str, Any]:
    """The body, which must be a JSON object; raises as `read_json`."""
    value = await _read_value(request, MAX_JSON_BYTES)
    if not isinstance(value, dict):
        raise UnprocessableError("the body must be a JSON object")
    return value


async def _read_value(request: Request, limit: int) -> Any:
    media_type = request.headers.get("content-type", "application/json").split(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise UnsupportedMediaTypeError("send application/json")
    raw = await read_bytes(request, limit=limit)
    try:
        return orjson.loads(raw or b"{}")
    except orjson.JSONDecodeError as error:
        raise InvalidRequestError(f"the body is not JSON: {error}") from None


def parse(value: Any, model: type[M]) -> M:
    """The value as `model`; raises UnprocessableError that names each wrong field, never its value."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems = [
            {"field": ".".join(str(part) for part in item["loc"]), "message": item["msg"]}
            for item in error.errors(include_input=False, include_context=False, include_url=False)
        ]
        words = "; ".join(f"{p['field'] or 'body'}: {p['message']}" for p in problems)
        raise UnprocessableError(words, errors=problems) from None


def json_response(value: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The value as JSON; datetimes are the caller's business."""
    return Response(orjson.dumps(value), status_code=status, media_type="application/json", headers=headers)


def int_parameter(request: Request, name: str, default: int, *, low: int, high: int) -> int:
    """A whole number of the query between `low` and `high`; raises InvalidRequestError otherwise."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 12 and low <= int(text) <= high):
        raise InvalidRequestError(f"{name}: a whole number from {low} to {high}")
    return int(text)


def flag(request: Request, name: str) -> bool:
    """A yes/no of the query; raises InvalidRequestError for anything else."""
    text = request.query_params.get(name, "false").lower()
    if text not in ("true", "false", "1", "0"):
        raise InvalidRequestError(f"{name}: true or false")
    return text in ("true", "1")


def next_page(request: Request, cursor: str | None) -> dict[str, str]:
    """The Link header to the next page, when there is one (RFC 8288)."""
    if cursor is None:
        return {}
    url = request.url.include_query_params(cursor=cursor)
    return {"Link": f'<{url.path}?{url.query}>; rel="next"'}
