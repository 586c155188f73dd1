"""Web search by Tavily: POST /search with a bearer key (docs.tavily.com, API reference of the endpoint)."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from shared.errors import TooLargeError, UnavailableError
from shared.outbound import Answer, exchange
from shared.searching import faults
from shared.searching.port import MOST_RESULTS, Findings, Recency, WebResult

_MAX_BYTES = 1024 * 1024
# Statuses of Tavily's own: the plan's limit and the limit of pay-as-you-go.
_USED_UP = (432, 433)


class TavilySearch:
    """A WebSearch; one HTTP exchange a search."""

    provider = "Tavily"

    def __init__(
        self, *, api_key: str, base_url: str = "https://api.tavily.com", timeout: float = 15.0
    ) -> None:
        self._api_key = api_key
        self._url = f"{base_url.rstrip('/')}/search"
        self._timeout = timeout

    async def search(self, *, query: str, recency: Recency) -> Findings:
        """See WebSearch."""
        asked: dict[str, Any] = {
            "query": query,
            "search_depth": "basic",
            "topic": "general",
            "max_results": MOST_RESULTS,
            "include_answer": False,
            "include_raw_content": False,
            "include_images": False,
        }
        if recency != "any":
            asked["time_range"] = recency
        try:
            answer = await exchange(
                "POST",
                self._url,
                headers={"Authorization": f"Bearer {self._api_key}"},
                content=asked,
                seconds=self._timeout,
                max_bytes=_MAX_BYTES,
            )
        except TimeoutError:
            raise faults.late(self._timeout) from None
        except (UnavailableError, TooLargeError) as error:
            raise faults.failed(error.message) from error
        _check(answer)
        return _findings(answer)


def _check(answer: Answer) -> None:
    """Returns for a good answer, else raises its fault."""
    status = answer.status
    if status == 200:
        return
    if status in (401, 403):
        raise faults.refused("the service does not accept the key in TAVILY_API_KEY")
    if status == 429:
        wait = answer.headers.get("retry-after", "")
        raise faults.limited(float(wait) if wait.isdecimal() else None)
    if status in _USED_UP:
        raise faults.used_up()
    if status in (400, 422):
        raise faults.unusable_query()
    raise faults.failed(f"the service answered with status {status}")


def _findings(answer: Answer) -> Findings:
    try:
        listed = answer.json()["results"]
        results = tuple(_result(item) for item in listed)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise faults.failed("the service's answer cannot be read") from error
    return Findings(results=results[:MOST_RESULTS])


def _result(item: Any) -> WebResult:
    return WebResult(
        title=str(item.get("title") or ""),
        url=str(item["url"]),
        snippet=str(item.get("content") or ""),
        date=_date(item.get("published_date")),
    )


def _date(value: Any) -> str | None:
    """The day of an ISO 8601 or an RFC 5322 time; Tavily has been seen to use both."""
    if not isinstance(value, str) or not value.strip():
        return None
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return read(value.strip()).date().isoformat()
        except ValueError:
            continue
    return None
