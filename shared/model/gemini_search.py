"""Web search by Gemini: an answer grounded in Google Search, read for its sources.

The form of the answer's groundingMetadata is that of the REST reference of `models.generateContent`; the
addresses it gives are Google's redirects to the pages, and it gives no dates.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.clock import Clock, utc_now
from shared.errors import AppError, ModelRefusedError, ModelTimeoutError, ToolFailedError
from shared.model.gemini_client import GeminiClient, GeminiEndpoint
from shared.model.gemini_errors import failures, to_app_error
from shared.model.gemini_request import checked_model_name
from shared.searching import faults
from shared.searching.port import DAYS, MOST_RESULTS, Findings, Recency, WebResult

if TYPE_CHECKING:
    from google.genai.types import GenerateContentResponse, GroundingSupport, Part

_SNIPPET_CHARS = 240


class GeminiSearch:
    """A WebSearch by the model's own Google Search; one client and one request a search."""

    provider = "Google Search"

    def __init__(
        self,
        *,
        api_key: str | None,
        model: str,
        base_url: str | None = None,
        vertexai: bool = False,
        project: str | None = None,
        location: str | None = None,
        timeout: float = 30.0,
        clock: Clock = utc_now,
    ) -> None:
        """Nothing is imported or opened yet.

        Raises:
            ConfigurationError: neither a key nor Vertex AI is given.
        """
        self._endpoint = GeminiEndpoint(
            api_key=api_key, base_url=base_url, vertexai=vertexai, project=project, location=location
        )
        self._model = model
        self._timeout = timeout
        self._clock = clock

    async def search(self, *, query: str, recency: Recency) -> Findings:
        """See WebSearch; `summary` is the model's answer with the numbers of its sources."""
        model = checked_model_name(self._model)
        body = _body(query, recency, self._clock(), by_filter=not self._endpoint.vertexai)
        try:
            response = await self._ask(model, body)
        except AppError as error:
            raise _fault(error, self._timeout) from None
        except failures() as failure:
            # See to_app_error for why the cause is not chained.
            raise _fault(to_app_error(failure, model), self._timeout) from None
        return _findings(response)

    async def _ask(self, model: str, body: dict[str, Any]) -> GenerateContentResponse:
        deadline = asyncio.get_running_loop().time() + self._timeout
        async with asyncio.timeout_at(deadline):
            client = await GeminiClient.open(self._endpoint)
        try:
            return await client.generate(model=model, body=body, deadline=deadline)
        finally:
            await client.close()


def _body(query: str, recency: Recency, now: datetime, *, by_filter: bool) -> dict[str, Any]:
    """The request; Vertex AI has no filter by time, so there the words alone say how old pages may be."""
    search: dict[str, Any] = {}
    words = f"Search the web for this and sum up what you find in at most 120 words: {query}"
    if recency != "any":
        start = now - timedelta(days=DAYS[recency])
        words += f"\nUse only pages published on or after {start.date().isoformat()}."
        if by_filter:
            search["timeRangeFilter"] = {"startTime": _rfc3339(start), "endTime": _rfc3339(now)}
    return {"contents": [{"role": "user", "parts": [{"text": words}]}], "tools": [{"googleSearch": search}]}


def _rfc3339(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _fault(error: AppError, seconds: float) -> ToolFailedError:
    if isinstance(error, ModelTimeoutError):
        return faults.late(seconds)
    if isinstance(error, ModelRefusedError):
        return faults.refused(error.message.rstrip("."))
    if error.details.get("status") == 429:
        return faults.limited(error.retry_after)
    return faults.failed(error.message.rstrip("."))


def _findings(response: GenerateContentResponse) -> Findings:
    candidate = response.candidates[0] if response.candidates else None
    parts = (candidate.content.parts if candidate and candidate.content else None) or []
    grounding = candidate.grounding_metadata if candidate else None
    chunks = (grounding.grounding_chunks if grounding else None) or []
    supports = (grounding.grounding_supports if grounding else None) or []
    said = _said(supports)
    numbers: dict[int, int] = {}
    results: list[WebResult] = []
    for index, chunk in enumerate(chunks):
        cited = index in said or not said
        if chunk.web is None or not chunk.web.uri or not cited or len(results) == MOST_RESULTS:
            continue
        snippet = " … ".join(said.get(index, ()))[:_SNIPPET_CHARS]
        results.append(WebResult(title=chunk.web.title or "", url=chunk.web.uri, snippet=snippet, date=None))
        numbers[index] = len(results)
    # Without a source it is the model's own memory, which is no search result.
    summary = _with_marks(parts, supports, numbers) if results else ""
    return Findings(results=tuple(results), summary=summary)


def _said(supports: Sequence[GroundingSupport]) -> dict[int, list[str]]:
    """What the answer says by each source, by the source's index."""
    said: dict[int, list[str]] = {}
    for support in supports:
        text = (support.segment.text if support.segment else None) or ""
        for index in support.grounding_chunk_indices or []:
            said.setdefault(index, []).append(text)
    return said


def _with_marks(parts: Sequence[Part], supports: Sequence[GroundingSupport], numbers: dict[int, int]) -> str:
    """The answer's text with [1][2] behind each supported segment; its ends are counted in UTF-8 bytes."""
    texts = ["" if part.thought or not part.text else part.text for part in parts]
    ends: dict[tuple[int, int], set[int]] = {}
    for support in supports:
        found = {numbers[index] for index in support.grounding_chunk_indices or [] if index in numbers}
        if support.segment is not None and support.segment.end_index is not None and found:
            place = (support.segment.part_index or 0, support.segment.end_index)
            ends.setdefault(place, set()).update(found)
    for (part, end), found in sorted(ends.items(), reverse=True):
        if part < len(texts):
            raw = texts[part].encode()
            mark = "".join(f"[{number}]" for number in sorted(found))
            before, after = (piece.decode(errors="ignore") for piece in (raw[:end], raw[end:]))
            texts[part] = f"{before} {mark}{after}"
    return "".join(texts)
