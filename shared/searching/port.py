"""What a web search is asked and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Recency = Literal["any", "day", "week", "month", "year"]

DAYS: dict[Recency, int] = {"day": 1, "week": 7, "month": 31, "year": 366}
"""How many days back each recency reaches; `any` has no limit."""

MOST_RESULTS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class WebResult:
    """A page that was found; `date` (YYYY-MM-DD) is when it was published, where the service says it."""

    title: str
    url: str
    snippet: str
    date: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The best pages first; `summary` is the service's own text, whose marks [1], [2] count the results."""

    results: tuple[WebResult, ...]
    summary: str = ""


class WebSearch(Protocol):
    """A search service; opens what it needs for one search and closes it."""

    @property
    def provider(self) -> str:
        """The service's name, for the reader."""
        ...

    async def search(self, *, query: str, recency: Recency) -> Findings:
        """At most MOST_RESULTS pages, as the service gave them: text from outside, not yet cleaned.

        Raises:
            ToolInputError, ToolFailedError: as faults.py words them.
        """
        ...
