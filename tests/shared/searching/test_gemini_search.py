"""Web search by Gemini's grounding, against the Gemini test server."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.errors import ToolError
from shared.model.gemini_search import GeminiSearch
from shared.searching.port import Recency
from tests.servers.gemini import API_KEY, GeminiServer
from tests.servers.gemini_answers import Answer, blocked, grounded, hang, page, reply, status

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
ANSWER = "Gebühren sanken um 10 %. Candles close on the hour. More follows."
SOURCES = (("börse.test", "https://redirect.test/1"), ("docs.test", "https://redirect.test/2"))


def searcher(gemini: GeminiServer, **changes: Any) -> GeminiSearch:
    """The adapter on the server."""
    options: dict[str, Any] = {"api_key": API_KEY, "model": "gemini-2.5-flash", "base_url": gemini.url}
    return GeminiSearch(**{**options, "timeout": 10.0, "clock": lambda: NOW, **changes})


async def fault(gemini: GeminiServer, answer: Answer, **changes: Any) -> ToolError:
    """The error of a search that fails; the key is never in it."""
    gemini.script(answer)
    with pytest.raises(ToolError) as caught:
        await searcher(gemini, **changes).search(query="fees", recency="any")
    assert API_KEY not in str(caught.value)
    return caught.value


async def test_sources_are_results_and_stay_cited(gemini: GeminiServer) -> None:
    gemini.script(
        grounded(
            ANSWER,
            sources=SOURCES,
            supports=(("Gebühren sanken um 10 %.", (0, 1)), ("Candles close on the hour.", (1,))),
        )
    )
    found = await searcher(gemini).search(query="fees", recency="any")
    assert found.summary == ("Gebühren sanken um 10 %. [1][2] Candles close on the hour. [2] More follows.")
    assert [(r.title, r.url, r.date) for r in found.results] == [(*source, None) for source in SOURCES]
    assert found.results[1].snippet == "Gebühren sanken um 10 %. … Candles close on the hour."
    body = gemini.requests[0].body
    assert body["tools"] == [{"googleSearch": {}}]
    assert "fees" in body["contents"][0]["parts"][0]["text"]
    assert not gemini.requests[0].stream


async def test_sources_that_support_nothing_are_left_out(gemini: GeminiServer) -> None:
    gemini.script(grounded("One. Two.", sources=SOURCES, supports=(("Two.", (1,)),)))
    found = await searcher(gemini).search(query="fees", recency="any")
    assert ([r.url for r in found.results], found.summary) == (["https://redirect.test/2"], "One. Two. [1]")


async def test_without_supports_every_source_counts(gemini: GeminiServer) -> None:
    gemini.script(grounded("One.", sources=SOURCES))
    found = await searcher(gemini).search(query="fees", recency="any")
    assert (len(found.results), found.summary) == (2, "One.")


@pytest.mark.parametrize("answer", [reply("From memory."), blocked(), grounded("From memory.")])
async def test_what_has_no_source_is_no_result(gemini: GeminiServer, answer: Answer) -> None:
    gemini.script(answer)
    found = await searcher(gemini).search(query="fees", recency="any")
    assert (found.results, found.summary) == ((), "")


@pytest.mark.parametrize(
    ("recency", "start"), [("day", "2026-11-21"), ("week", "2026-11-15"), ("month", "2026-10-22")]
)
async def test_recency_filters_the_search(gemini: GeminiServer, recency: Recency, start: str) -> None:
    gemini.script(grounded("One.", sources=SOURCES))
    await searcher(gemini).search(query="fees", recency=recency)
    body = gemini.requests[0].body
    span = body["tools"][0]["googleSearch"]["timeRangeFilter"]
    assert span == {"startTime": f"{start}T20:00:00Z", "endTime": "2026-11-22T20:00:00Z"}
    assert f"on or after {start}" in body["contents"][0]["parts"][0]["text"]


async def test_vertex_gets_the_recency_in_words_alone(gemini: GeminiServer) -> None:
    gemini.script(grounded("One.", sources=SOURCES))
    await searcher(gemini, vertexai=True).search(query="fees", recency="year")
    assert gemini.requests[0].vertex
    assert gemini.requests[0].body["tools"] == [{"googleSearch": {}}]
    assert "on or after 2025-11-21" in gemini.requests[0].last_user_text


@pytest.mark.parametrize(
    ("answer", "code", "retryable", "words"),
    [
        (status(400, reason="API_KEY_INVALID"), "search_refused", False, "does not accept our key"),
        (status(403), "search_refused", False, "denies us access"),
        (status(429, retry_delay="12s"), "rate_limited", True, "in 12 s"),
        (status(503), "search_failed", True, "failed"),
        (page(502), "search_failed", True, "failed"),
    ],
)
async def test_failures_say_what_to_do(
    gemini: GeminiServer, answer: Answer, code: str, retryable: bool, words: str
) -> None:
    error = await fault(gemini, answer)
    assert (error.tool_code, error.tool_retryable) == (code, retryable)
    assert words in error.message
    assert "without a web search" in error.message


async def test_a_slow_model_times_out_and_is_left(gemini: GeminiServer) -> None:
    # A first search, so that the time goes to the answer and not to the import of the SDK.
    gemini.script(grounded("One.", sources=SOURCES))
    await searcher(gemini).search(query="fees", recency="any")
    error = await fault(gemini, hang(), timeout=1.0)
    assert (error.tool_code, error.tool_retryable) == ("timeout", True)
