"""The one door to google-genai: an open client, and a streamed call that can be ended at any moment."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from shared.errors import ConfigurationError, ModelRefusedError

if TYPE_CHECKING:
    import aiohttp
    from google.genai import Client
    from google.genai.types import GenerateContentResponse

_KEEP_ALIVE_SECONDS = 60.0

# Closing the SDK's generator leaves the inner ones, and the connection, to the collector. aiohttp tells us
# each response it gets, and this says whose it is, so that the call itself can drop its connection.
_responses: ContextVar[list[aiohttp.ClientResponse]] = ContextVar("gemini_responses")


@dataclass(frozen=True, slots=True, kw_only=True)
class GeminiEndpoint:
    """Where the model is and who asks: the Gemini API by key, or Vertex AI by project or by key.

    With a project, Vertex AI takes `credentials` (google-auth) or the process's own; a key is then not used.
    """

    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = None
    vertexai: bool = False
    project: str | None = None
    location: str | None = None
    credentials: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.vertexai and not self.api_key:
            raise ConfigurationError("GEMINI_API_KEY: the Gemini model needs a key, or Vertex AI")

    def identity(self) -> dict[str, Any]:
        """The arguments of the SDK's client that say who asks."""
        if not self.vertexai:
            return {"vertexai": False, "api_key": self.api_key}
        if self.project or not self.api_key:
            place = {"project": self.project, "location": self.location}
            return {"vertexai": True, "credentials": self.credentials, **place}
        return {"vertexai": True, "api_key": self.api_key}


class GeminiClient:
    """An open google-genai client on its own aiohttp session, both of the event loop that opened them."""

    def __init__(self, client: Client, session: aiohttp.ClientSession) -> None:
        self._client = client
        self._session = session

    @classmethod
    async def open(cls, endpoint: GeminiEndpoint) -> Self:
        """A client ready for its first call: importing and building, about 2 s, are done in a thread."""
        await asyncio.to_thread(_import_and_prime)
        session = _open_session()
        try:
            client = await asyncio.to_thread(_build, endpoint, session)
        except BaseException:
            await session.close()
            raise
        return cls(client, session)

    def call(self, *, model: str, body: dict[str, Any], deadline: float) -> GeminiCall:
        """A streamed call, to be entered with `async with`; `deadline` is a time of the event loop."""
        return GeminiCall(self._client, model, body, deadline)

    async def generate(self, *, model: str, body: dict[str, Any], deadline: float) -> GenerateContentResponse:
        """A whole answer at once; raises what `gemini_errors.failures()` names."""
        async with asyncio.timeout_at(deadline):
            return await self._client.aio.models.generate_content(
                model=model, contents="-", config=_config(body)
            )

    async def close(self) -> None:
        """Closes the client and every connection; running calls fail."""
        await self._client.aio.aclose()
        await asyncio.to_thread(self._client.close)
        await self._session.close()


class GeminiCall:
    """One streamed call; leaving it ends the HTTP request at once."""

    def __init__(self, client: Client, model: str, body: dict[str, Any], deadline: float) -> None:
        self._client = client
        self._model = model
        self._body = body
        self._deadline = deadline
        self._stream: AsyncGenerator[GenerateContentResponse] | None = None
        self._held: list[aiohttp.ClientResponse] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for response in self._held:
            response.close()
        if self._stream is not None:
            await self._stream.aclose()

    async def next(self) -> GenerateContentResponse | None:
        """The next response, None at the end of the stream; raises what `gemini_errors.failures()` names."""
        async with asyncio.timeout_at(self._deadline):
            if self._stream is not None:
                return await anext(self._stream, None)
            return await self._first()

    async def _first(self) -> GenerateContentResponse | None:
        token = _responses.set(self._held)
        try:
            self._stream = await _start(self._client, self._model, self._body)
            return await anext(self._stream, None)
        finally:
            _responses.reset(token)


async def _start(client: Client, model: str, body: dict[str, Any]) -> AsyncGenerator[GenerateContentResponse]:
    # The SDK insists on contents; those of the body replace them.
    stream = await client.aio.models.generate_content_stream(model=model, contents="-", config=_config(body))
    assert isinstance(stream, AsyncGenerator)
    return stream


def _config(body: dict[str, Any]) -> Any:
    from google.genai import types

    # Objects in a dict: the SDK would copy a whole config object, body and all, and validate nested dicts.
    return {
        "automatic_function_calling": types.AutomaticFunctionCallingConfig(disable=True),
        "automatic_continuation": False,
        "http_options": types.HttpOptions.model_construct(extra_body=body),
    }


def _import_and_prime() -> None:
    """Imports the SDK and builds the validators it leaves to first use."""
    from google.genai import types

    types.GenerateContentConfig(http_options=types.HttpOptions(), system_instruction="-")
    part = {"text": "-", "functionCall": {"name": "-", "args": {}}}
    types.GenerateContentResponse.model_validate(
        {"candidates": [{"content": {"parts": [part]}}], "usageMetadata": {"promptTokenCount": 1}}
    )


def _open_session() -> aiohttp.ClientSession:
    import aiohttp

    tracing = aiohttp.TraceConfig()
    tracing.on_request_end.append(_remember)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=True,
        trace_configs=[tracing],
    )


async def _remember(_session: Any, _context: Any, params: aiohttp.TraceRequestEndParams) -> None:
    held = _responses.get(None)
    if held is not None:
        held.append(params.response)


def _build(endpoint: GeminiEndpoint, session: aiohttp.ClientSession) -> Client:
    import certifi
    from google.genai import Client
    from google.genai.types import HttpOptions, HttpRetryOptions

    # One attempt: without this the SDK repeats a failed connection by itself after up to ten seconds. The
    # version: the `-latest` names of models exist in v1beta only, and the SDK's default is v1.
    options = HttpOptions(
        base_url=endpoint.base_url,
        api_version="v1beta1" if endpoint.vertexai else "v1beta",
        aiohttp_client=session,
        retry_options=HttpRetryOptions(attempts=1),
    )
    if not endpoint.vertexai:
        # One TLS context in place of the three the SDK would build, each at about 30 ms. Vertex AI keeps the
        # SDK's own, which know about client certificates.
        trust = ssl.create_default_context()
        trust.load_verify_locations(certifi.where())
        options.client_args = {"verify": trust}
        options.async_client_args = {"verify": trust, "ssl": trust}
    try:
        return Client(http_options=options, **endpoint.identity())
    except ValueError as error:
        raise ModelRefusedError(
            "The model is not configured: Vertex AI needs GOOGLE_CLOUD_PROJECT."
        ) from error
