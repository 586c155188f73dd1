"""The failures of a Gemini call as our errors, and how long the service asks us to wait."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from shared.errors import (
    AppError,
    ModelKeyRefusedError,
    ModelRefusedError,
    ModelTimeoutError,
    ModelUnavailableError,
)

if TYPE_CHECKING:
    from google.genai.errors import APIError

_STATUS_NAME = re.compile(r"[A-Z][A-Z_]{1,39}")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)s")

# 409 and 499 are ABORTED and CANCELLED by the service itself, which a repeat cures.
_PASSING = {409, 429, 499}
_TIMEOUTS = {408, 504}


@cache
def failures() -> tuple[type[Exception], ...]:
    """All that a call can raise for a reason outside this process.

    ValueError stands for an answer that is no JSON or has not the form of a response.
    """
    import aiohttp
    from google.auth.exceptions import GoogleAuthError
    from google.genai.errors import APIError

    return (APIError, aiohttp.ClientError, GoogleAuthError, OSError, ValueError, ModelUnavailableError)


def to_app_error(failure: Exception, model: str) -> AppError:
    """Our error for one of `failures()`.

    Its message holds at most the service's short status: the SDK's own text quotes the whole answer, which
    may hold the key or the user's words. For the same reason the failure is not to be chained.
    """
    from google.auth.exceptions import GoogleAuthError
    from google.genai.errors import APIError

    if isinstance(failure, ModelUnavailableError):
        return failure
    if isinstance(failure, APIError):
        return _from_answer(failure, model)
    if isinstance(failure, GoogleAuthError) and not failure.retryable:
        return ModelRefusedError("There are no valid credentials for the model's service.", model=model)
    if isinstance(failure, TimeoutError):
        return ModelTimeoutError("The model did not answer in time.", model=model)
    if isinstance(failure, ValueError):
        return ModelUnavailableError("The model's service sent an answer that cannot be read.", model=model)
    return ModelUnavailableError("The connection to the model's service failed.", model=model)


def _from_answer(failure: APIError, model: str) -> AppError:
    code = failure.code if isinstance(failure.code, int) else 0
    name = _short_name(failure.status)
    details: dict[str, Any] = {"model": model, "status": code}
    if code in _TIMEOUTS:
        return ModelTimeoutError(f"The model did not answer in time{name}.", **details)
    if code == 429:
        hint = _retry_hint(failure)
        return ModelUnavailableError(
            f"The model's service limits our requests{name}.", retry_after=hint, **details
        )
    if code in _PASSING or not 400 <= code < 500:
        hint = _retry_hint(failure)
        return ModelUnavailableError(f"The model's service failed{name}.", retry_after=hint, **details)
    kind = ModelKeyRefusedError if _is_about_the_key(code, failure) else ModelRefusedError
    return kind(_refusal(code, failure, model) + name + ".", **details)


def _refusal(code: int, failure: APIError, model: str) -> str:
    if code == 403 and not _names_the_key(failure):
        return "The model's service denies us access"
    if _is_about_the_key(code, failure):
        return "The model's service does not accept our key"
    if code == 404:
        return f"The model's service has no model {model}"
    return "The model's service does not take this request"


def _is_about_the_key(code: int, failure: APIError) -> bool:
    return code in (401, 403) or _names_the_key(failure)


def _names_the_key(failure: APIError) -> bool:
    return any(str(detail.get("reason")).startswith("API_KEY_") for detail in _details(failure))


def _short_name(status: Any) -> str:
    return f" ({status})" if isinstance(status, str) and _STATUS_NAME.fullmatch(status) else ""


def _retry_hint(failure: APIError) -> float | None:
    """Seconds to wait by google.rpc.RetryInfo in the error's details, else by the header Retry-After."""
    for detail in _details(failure):
        if str(detail.get("@type", "")).endswith("google.rpc.RetryInfo"):
            match = _DURATION.fullmatch(str(detail.get("retryDelay")))
            if match is not None:
                return float(match[1])
    headers = getattr(failure.response, "headers", None) or {}
    return _retry_after(headers.get("Retry-After"))


def _retry_after(value: str | None) -> float | None:
    """The header in seconds; RFC 9110 10.2.3 allows a number or a date."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _details(failure: APIError) -> list[dict[str, Any]]:
    body = failure.details
    error = body.get("error", body) if isinstance(body, dict) else {}
    details = error.get("details") if isinstance(error, dict) else None
    return [detail for detail in details if isinstance(detail, dict)] if isinstance(details, list) else []
