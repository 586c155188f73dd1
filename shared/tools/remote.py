"""Tools in another process: the catalogue and the calls go to the tools function at TOOLS_URL.

The service shares this agent's database and object store, since a tool reads and saves the session's files.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from shared.errors import ToolNotFoundError, UnavailableError
from shared.keys import SessionKey
from shared.messages import ToolCall, ToolFault, ToolResult, ToolSpec
from shared.tools.port import CallOrigin, effect_id
from shared.tools.remote_wire import approval_wire, refusal_of, result_of, specs_of
from shared.tracing.context import tracing_headers
from shared.tracing.spans import span

if TYPE_CHECKING:
    import httpx

_log = logging.getLogger(__name__)

CATALOGUE_SECONDS = 60.0
# After a refresh that failed, how long the old catalogue is used before the next try.
_DOWN_SECONDS = 5.0
_CATALOGUE_TIMEOUT = 10.0
# Over the longest deadline of a tool, so that the tool's own message comes first.
CALL_SECONDS = 320.0
_CONNECT_SECONDS = 5.0
PAUSES = (0.2, 1.0)
# A repeat after a lost answer may find the first call still running.
_IN_PROGRESS_SECONDS = 60.0
_UNAVAILABLE = frozenset({429, 500, 502, 503, 504})
_CALL_ID = re.compile(r"[\x21-\x7e]{1,128}")

# The user (None for the service itself) -> headers that prove who is calling.
Credentials = Callable[[str | None], Awaitable[Mapping[str, str]]]


class RemoteToolRunner:
    """`ToolRunner` over HTTP; to be closed by the caller.

    A call that gets no answer is repeated with the same id, which the service runs once. After that it
    is an error result `tool_service_unavailable`: a turn goes on without the service.

    `credentials` None sends the user in the body, for a service without authentication. `call_seconds` are
    for a call in all, `pauses` are the seconds before each repeat, `monotonic` tells the catalogue's age.
    """

    def __init__(
        self,
        *,
        url: str,
        credentials: Credentials | None = None,
        call_seconds: float = CALL_SECONDS,
        pauses: tuple[float, ...] = PAUSES,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url.rstrip("/")
        self._credentials = credentials
        self._call_seconds = call_seconds
        self._pauses = pauses
        self._monotonic = monotonic
        self._client: httpx.AsyncClient | None = None
        self._catalogue: tuple[ToolSpec, ...] | None = None
        self._fresh_until = 0.0
        self._lock = asyncio.Lock()

    async def catalogue(self) -> tuple[ToolSpec, ...]:
        """The service's tools; up to a minute old, older while the service is down.

        Raises:
            UnavailableError: the service did not answer, and never has.
        """
        if self._catalogue is None or self._monotonic() >= self._fresh_until:
            async with self._lock:
                if self._catalogue is None or self._monotonic() >= self._fresh_until:
                    await self._refresh()
        assert self._catalogue is not None
        return self._catalogue

    async def run(
        self, *, call: ToolCall, session: SessionKey | None, origin: CallOrigin | None = None
    ) -> ToolResult:
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._call_seconds):
                return await self._run(call, session, origin)
        except TimeoutError:
            seconds = time.perf_counter() - started
            return _failed(call, f"the tool service did not answer within {seconds:.0f} s", retryable=True)

    async def close(self) -> None:
        """Lets go of connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _run(self, call: ToolCall, session: SessionKey | None, origin: CallOrigin | None) -> ToolResult:
        path = f"/tools/{quote(call.name, safe='', errors='replace')}"
        body = json.dumps(self._body(call, session, origin)).encode("ascii")
        user_id = session.user_id if session else None
        give_up = time.monotonic() + _IN_PROGRESS_SECONDS
        lost = 0
        while True:
            answer = await self._post(path, body, user_id)
            if answer is None or answer.status_code in _UNAVAILABLE:
                if lost == len(self._pauses):
                    return _failed(call, "the tool service does not answer; try again later", retryable=True)
                await asyncio.sleep(self._pauses[lost])
                lost += 1
                continue
            result = self._outcome(call, answer)
            running = result.error is not None and result.error.code == "call_in_progress"
            if not (running and lost and time.monotonic() < give_up):
                return result
            await asyncio.sleep(self._pauses[-1])

    def _outcome(self, call: ToolCall, answer: httpx.Response) -> ToolResult:
        if answer.status_code == 200:
            result = result_of(call, answer.content)
            return result or _failed(call, "the tool service's answer cannot be read", retryable=False)
        fault = refusal_of(answer.status_code, answer.content)
        if fault.code == "tool_not_found":
            # What was there at the last look is gone: look again.
            self._fresh_until = 0.0
            raise ToolNotFoundError(fault.message)
        _log.warning("tool call refused", extra={"status": answer.status_code, "code": fault.code})
        return ToolResult(id=call.id, name=call.name, status="error", error=fault)

    def _body(self, call: ToolCall, session: SessionKey | None, origin: CallOrigin | None) -> dict[str, Any]:
        call_id = effect_id(origin.turn_id, call.id) if origin else _wire_id(call.id)
        body: dict[str, Any] = {"arguments": call.arguments, "call_id": call_id}
        if session is not None:
            body["session_id"] = session.session_id
            if self._credentials is None:
                body["user_id"] = session.user_id
        if origin is not None:
            body["turn_id"] = origin.turn_id
            if origin.grant is not None:
                body["approval"] = approval_wire(origin.grant)
        return body

    async def _post(self, path: str, body: bytes, user_id: str | None) -> httpx.Response | None:
        """The answer, None when there was none."""
        client = await self._opened()
        import httpx

        with span("POST /tools/{name}", "client", {"http.request.method": "POST"}) as asking:
            try:
                headers = {"content-type": "application/json", **await self._headers(user_id)}
                answer = await client.post(path, content=body, headers=headers | tracing_headers())
            except (httpx.HTTPError, UnavailableError) as error:
                _log.warning("tool service unreachable", extra={"error": type(error).__name__})
                asking.fail(type(error).__name__)
                return None
            asking.set("http.response.status_code", answer.status_code)
            if answer.status_code >= 400:
                asking.fail(str(answer.status_code))
            return answer

    async def _refresh(self) -> None:
        specs = await self._fetch()
        if specs is not None:
            self._catalogue = specs
        elif self._catalogue is None:
            raise UnavailableError("the tool service does not answer", retry_after=_DOWN_SECONDS)
        self._fresh_until = self._monotonic() + (_DOWN_SECONDS if specs is None else CATALOGUE_SECONDS)

    async def _fetch(self) -> tuple[ToolSpec, ...] | None:
        client = await self._opened()
        import httpx

        try:
            headers = await self._headers(None)
            answer = await client.get("/tools", headers=headers, timeout=_CATALOGUE_TIMEOUT)
        except (httpx.HTTPError, UnavailableError) as error:
            _log.warning("tool service unreachable", extra={"error": type(error).__name__})
            return None
        if answer.status_code != 200:
            _log.warning("tool catalogue refused", extra={"status": answer.status_code})
            return None
        return specs_of(answer.content)

    async def _headers(self, user_id: str | None) -> Mapping[str, str]:
        return {} if self._credentials is None else await self._credentials(user_id)

    async def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            client = await asyncio.to_thread(_new_client, self._url, self._call_seconds)
            if self._client is None:
                self._client = client
        return self._client


def _new_client(url: str, seconds: float) -> httpx.AsyncClient:
    import httpx

    # Our own service, by its configured address: proxies of the environment are not for it.
    return httpx.AsyncClient(
        base_url=url,
        timeout=httpx.Timeout(seconds, connect=_CONNECT_SECONDS),
        limits=httpx.Limits(max_connections=100, max_keepalive_connections=20),
        trust_env=False,
    )


def _wire_id(call_id: str) -> str:
    """The id as the contract allows it: a model's own id may be longer or hold other characters."""
    if _CALL_ID.fullmatch(call_id):
        return call_id
    return hashlib.sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()


def _failed(call: ToolCall, message: str, *, retryable: bool) -> ToolResult:
    fault = ToolFault(code="tool_service_unavailable", message=message, retryable=retryable)
    return ToolResult(id=call.id, name=call.name, status="error", error=fault)
