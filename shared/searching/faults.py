"""The failures of a web search, in words that tell the model what to do next."""

from __future__ import annotations

from shared.errors import ToolFailedError, ToolInputError

_INSTEAD = "answer without a web search and say so"


def refused(reason: str) -> ToolFailedError:
    """The service does not accept our key, or does not serve us at all."""
    return ToolFailedError(
        f"the search is refused: {reason}; {_INSTEAD}, and tell the user that whoever runs this agent must "
        "correct its settings",
        code="search_refused",
    )


def limited(retry_after: float | None) -> ToolFailedError:
    """Too many searches just now."""
    when = f"in {max(1, round(retry_after))} s" if retry_after is not None else "in a minute"
    return ToolFailedError(
        f"the search service limits how often we search: search again {when}, or {_INSTEAD}",
        code="rate_limited",
        retryable=True,
    )


def used_up() -> ToolFailedError:
    """The account has no searches left."""
    return ToolFailedError(
        f"the search service's plan is used up: {_INSTEAD}; more searches now will fail too",
        code="search_used_up",
    )


def unusable_query() -> ToolInputError:
    """The service does not take the request."""
    return ToolInputError("the search service does not take this query: use fewer and plainer words")


def late(seconds: float) -> ToolFailedError:
    """No answer in time."""
    return ToolFailedError(
        f"the search service did not answer in {seconds:g} s: search once more, or {_INSTEAD}",
        code="timeout",
        retryable=True,
    )


def failed(what: str) -> ToolFailedError:
    """The service is down or cannot be understood."""
    return ToolFailedError(
        f"the search failed: {what}; search once more later, or {_INSTEAD}",
        code="search_failed",
        retryable=True,
    )
