"""One bounded HTTP exchange with a service that the settings name (not with addresses from outside).

Redirects are not followed: a service that moves is a setting to change, and credentials stay where they
were meant to go.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from shared.errors import TooLargeError, UnavailableError, UnreachedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the service answered; header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """The body as JSON; raises ValueError when it is none."""
        import orjson

        return orjson.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file to send as `multipart/form-data`, with plain fields beside it."""

    name: str
    filename: str
    content_type: str
    data: bytes = field(repr=False)
    fields: Mapping[str, str]


async def exchange(
    method: str,
    url: str,
    *,
    seconds: float,
    max_bytes: int,
    headers: Mapping[str, str] | None = None,
    parameters: Mapping[str, str] | None = None,
    content: Any = None,
    upload: Upload | None = None,
) -> Answer:
    """The answer to one request; `content` is sent as JSON, `seconds` are for the whole.

    Raises:
        TimeoutError: the answer was not there in time.
        TooLargeError: it has more than `max_bytes` bytes, decompressed.
        UnreachedError: there is no connection, nothing was sent.
        UnavailableError: the connection broke, or there is no HTTP behind it.
    """
    async with asyncio.timeout(seconds):
        trust = await asyncio.to_thread(_trust)
        import httpx

        try:
            async with (
                httpx.AsyncClient(verify=trust, timeout=seconds) as client,
                client.stream(
                    method,
                    url,
                    headers=headers,
                    params=parameters,
                    json=content,
                    data=None if upload is None else upload.fields,
                    files=None
                    if upload is None
                    else {upload.name: (upload.filename, upload.data, upload.content_type)},
                ) as response,
            ):
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > max_bytes:
                        raise TooLargeError(f"the answer has more than {max_bytes} bytes")
                found = {name.lower(): value for name, value in response.headers.items()}
                return Answer(status=response.status_code, headers=found, body=bytes(body))
        except (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.UnsupportedProtocol,
            httpx.InvalidURL,
        ) as error:
            raise UnreachedError(f"there is no connection ({type(error).__name__})") from None
        except httpx.TimeoutException as error:
            raise TimeoutError from error
        except httpx.HTTPError as error:
            # The cause may quote the URL or a header.
            raise UnavailableError(f"the connection failed ({type(error).__name__})") from None


@cache
def _trust() -> ssl.SSLContext:
    """The certificates believed; importing httpx and reading them takes too long for the event loop."""
    import httpx

    return httpx.create_ssl_context()
