"""Requests to the platform: what may be repeated is, what makes something is sent once, refusals are told.

Each request has a time for the whole of it. A lost answer to what makes something is said to be lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from shared.deployment.answers import Made, made_of, read_json, said
from shared.errors import (
    AppError,
    DeploymentRefusedError,
    PlatformUnavailableError,
    UnauthenticatedError,
    UnreachedError,
)
from shared.outbound import Answer, Upload, exchange

ASK_SECONDS = 15.0
MAKE_SECONDS = 20.0
UPLOAD_SECONDS = 60.0
_MOST_BYTES = 8 * 1024 * 1024
_PAUSES = (0.2, 1.0)
# The request did not reach whoever would have acted on it, or that one put it off: nothing was done.
_LATER = frozenset({429})


class OutcomeUnknownError(Exception):
    """Whether the platform made what it was asked for is not known; `told` says why."""

    def __init__(self, told: str) -> None:
        super().__init__(told)
        self.told = told


class PlatformCalls:
    """The platform at `url`, asked in the name of whoever `authorization` (a header's value) belongs to."""

    def __init__(self, url: str, authorization: str | None) -> None:
        """Raises UnauthenticatedError for a credential that no header can carry."""
        if authorization is not None and not (authorization.isascii() and authorization.isprintable()):
            raise UnauthenticatedError("the credential holds characters that none has")
        self.url = url.rstrip("/")
        self._headers = {"Accept": "application/json"}
        if authorization is not None:
            self._headers["Authorization"] = authorization

    async def make(self, method: str, path: str, content: Any, mark: str) -> Answer:
        """The answer to a request that makes something, sent once.

        Raises:
            OutcomeUnknownError: it may have been made.
            PlatformUnavailableError: it was not.
        """
        # Where the platform knows the header, it makes nothing twice by itself.
        headers = {**self._headers, "Idempotency-Key": mark}
        try:
            return await exchange(
                method,
                f"{self.url}{path}",
                seconds=MAKE_SECONDS,
                max_bytes=_MOST_BYTES,
                headers=headers,
                content=content,
            )
        except UnreachedError as error:
            raise PlatformUnavailableError(f"the platform cannot be reached: {error.message}") from error
        except TimeoutError as error:
            raise OutcomeUnknownError(f"the platform did not answer in {MAKE_SECONDS:g} s") from error
        except AppError as error:
            raise OutcomeUnknownError(f"the platform's answer was lost: {error.message}") from error

    async def ask(self, path: str, parameters: Mapping[str, str] | None = None) -> Answer:
        """The answer to a question, which changes nothing; raises as `repeated`."""
        return await self.repeated("GET", path, ASK_SECONDS, parameters=parameters)

    async def repeated(
        self,
        method: str,
        path: str,
        seconds: float,
        *,
        parameters: Mapping[str, str] | None = None,
        content: Any = None,
        upload: Upload | None = None,
    ) -> Answer:
        """The answer to what may be sent again; raises PlatformUnavailableError when there was none."""
        told = f"it did not answer in {seconds:g} s"
        try:
            async with asyncio.timeout(seconds):
                for pause in (*_PAUSES, None):
                    try:
                        answer = await exchange(
                            method,
                            f"{self.url}{path}",
                            seconds=seconds,
                            max_bytes=_MOST_BYTES,
                            headers=self._headers,
                            parameters=parameters,
                            content=content,
                            upload=upload,
                        )
                    except AppError as error:
                        told = error.message
                    else:
                        if answer.status < 500 or answer.status == 501:
                            return answer
                        told = f"it answered {answer.status}: {said(answer)}"
                    if pause is not None:
                        await asyncio.sleep(pause)
        except TimeoutError:
            pass
        raise PlatformUnavailableError(f"the platform cannot be asked: {told}")


def made(answer: Answer) -> Made:
    """What an answer to `PlatformCalls.make` made.

    Raises:
        OutcomeUnknownError: it does not tell.
        DeploymentRefusedError, PlatformUnavailableError: nothing.
    """
    value = read_json(answer)
    if answer.status in (200, 201) and not (isinstance(value, dict) and value.get("success") is False):
        found = made_of(value)
        if found is None:
            raise OutcomeUnknownError("the platform took it and named no id")
        return found
    if answer.status >= 500 or answer.status in (202, 204, 408):
        raise OutcomeUnknownError(f"the platform answered {answer.status}: {said(answer)}")
    raise refusal(answer)


def refusal(answer: Answer) -> AppError:
    """The error that an answer other than a success is."""
    words = said(answer)
    message = f"the platform answered {answer.status}: {words}" if words else f"status {answer.status}"
    details: dict[str, Any] = {"platform_status": answer.status, "platform_message": words}
    if answer.status in _LATER or answer.status >= 500:
        return PlatformUnavailableError(message, **details)
    return DeploymentRefusedError(message, **details)
