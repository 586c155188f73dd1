"""Web search by Tavily, against a local service that speaks its protocol."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.errors import ToolError, ToolFailedError, ToolInputError
from shared.searching.tavily import TavilySearch
from tests.servers.web_service import Asked, Said, WebService, json_answer, web_service

KEY = "tvly-test-key"
FOUND = {
    "query": "q",
    "results": [
        {
            "title": "Candles",
            "url": "https://docs.test/candles",
            "content": "They close.",
            "score": 0.9,
            "published_date": "Wed, 18 Nov 2026 09:00:00 GMT",
        },
        {"title": "Plain", "url": "https://docs.test/plain", "content": "No date.", "score": 0.5},
    ],
    "response_time": 0.4,
}


def answer(asked: Asked) -> Said:
    """What the real service checks and answers, as far as we use it."""
    if asked.headers.get("authorization") != f"Bearer {KEY}":
        return json_answer({"detail": {"error": f"Unauthorized: {asked.headers}"}}, 401)
    body = asked.json()
    if (asked.method, asked.path) != ("POST", "/search") or not body.get("query"):
        return json_answer({"detail": {"error": "bad"}}, 400)
    if body.get("time_range", "day") not in ("day", "week", "month", "year"):
        return json_answer({"detail": {"error": "bad time_range"}}, 400)
    return json_answer(FOUND)


@pytest.fixture
async def tavily() -> AsyncIterator[WebService]:
    """The service."""
    async with web_service(answer) as service:
        yield service


def searcher(service: WebService, **changes: Any) -> TavilySearch:
    """The adapter on the service."""
    return TavilySearch(**{"api_key": KEY, "base_url": service.url, "timeout": 5.0, **changes})


async def fault(service: WebService, **changes: Any) -> ToolError:
    """The error of a search that fails; the key is never in it."""
    with pytest.raises(ToolError) as caught:
        await searcher(service, **changes).search(query="candles", recency="any")
    assert KEY not in str(caught.value)
    assert "tvly" not in caught.value.message
    return caught.value


async def test_results_carry_title_address_snippet_and_date(tavily: WebService) -> None:
    found = await searcher(tavily).search(query="candles", recency="any")
    assert [(r.title, r.url, r.snippet, r.date) for r in found.results] == [
        ("Candles", "https://docs.test/candles", "They close.", "2026-11-18"),
        ("Plain", "https://docs.test/plain", "No date.", None),
    ]
    assert tavily.asked[0].json()["query"] == "candles"
    assert "time_range" not in tavily.asked[0].json()


@pytest.mark.parametrize("recency", ["day", "week", "month", "year"])
async def test_recency_is_asked_for(tavily: WebService, recency: Any) -> None:
    await searcher(tavily).search(query="candles", recency=recency)
    assert tavily.asked[0].json()["time_range"] == recency


@pytest.mark.parametrize(
    ("said", "code", "retryable", "words"),
    [
        (Said(status=429, headers={"retry-after": "7"}), "rate_limited", True, "in 7 s"),
        (Said(status=429), "rate_limited", True, "in a minute"),
        (Said(status=432), "search_used_up", False, "used up"),
        (Said(status=433), "search_used_up", False, "used up"),
        (Said(status=500, body=b"<html>tvly</html>"), "search_failed", True, "status 500"),
        (Said(status=302, headers={"location": "https://elsewhere.test/"}), "search_failed", True, "302"),
        (Said(body=b"<html>"), "search_failed", True, "cannot be read"),
        (Said(body=b"[1]"), "search_failed", True, "cannot be read"),
        (Said(body=b'{"results": ["x"]}'), "search_failed", True, "cannot be read"),
        (Said(body=b'{"results": [{"title": "no address"}]}'), "search_failed", True, "cannot be read"),
        (Said(body=b" " * (1024 * 1024 + 1)), "search_failed", True, "bytes"),
    ],
)
async def test_failures_say_what_to_do(
    tavily: WebService, said: Said, code: str, retryable: bool, words: str
) -> None:
    tavily.answer = lambda _: said
    error = await fault(tavily)
    assert isinstance(error, ToolFailedError)
    assert (error.tool_code, error.tool_retryable) == (code, retryable)
    assert words in error.message
    assert "without a web search" in error.message
    assert len(tavily.asked) == 1


async def test_a_refused_key_is_named_by_its_setting(tavily: WebService) -> None:
    error = await fault(tavily, api_key="tvly-wrong")
    assert (error.tool_code, error.tool_retryable) == ("search_refused", False)
    assert "TAVILY_API_KEY" in error.message


async def test_a_query_that_is_not_taken_may_be_corrected(tavily: WebService) -> None:
    with pytest.raises(ToolInputError, match="plainer"):
        await searcher(tavily).search(query="", recency="any")


async def test_a_slow_service_times_out(tavily: WebService) -> None:
    tavily.answer = lambda _: Said(hang=True)
    error = await fault(tavily, timeout=0.3)
    assert (error.tool_code, error.tool_retryable) == ("timeout", True)


async def test_nobody_there_is_a_failed_search(tavily: WebService) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = await fault(tavily, base_url=f"http://127.0.0.1:{port}")
    assert error.tool_code == "search_failed"
