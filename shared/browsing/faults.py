"""The errors of `browse_web`, with the codes of the wire contract, section 5."""

from __future__ import annotations

from shared.errors import ToolError, ToolFailedError, ToolInputError


def not_allowed(reason: str) -> ToolError:
    """The policy says no to the URL that was given."""
    return ToolInputError(f"not fetched: {reason}", code="url_not_allowed")


def redirect_not_allowed(url: str, reason: str) -> ToolError:
    """The policy says no to where a page redirects; `url` is the page that does."""
    return ToolFailedError(
        f"{url} redirects to an address that is not fetched: {reason}", code="url_not_allowed"
    )


def fetch_failed(message: str, *, retryable: bool = False) -> ToolError:
    """The page did not come."""
    return ToolFailedError(message, code="fetch_failed", retryable=retryable)


def timed_out(seconds: float) -> ToolError:
    """The whole took too long."""
    return ToolFailedError(
        f"the page was not read within {seconds:g} s; try once more or another page",
        code="timeout",
        retryable=True,
    )


def too_large(limit: int) -> ToolError:
    """The page is over the limit of bytes."""
    return ToolFailedError(
        f"the page has more than {limit // 1024} KiB; find a smaller page of the same site", code="too_large"
    )


def unsupported(what: str) -> ToolError:
    """The page is nothing that is read as text."""
    return ToolFailedError(
        f"{what}; only HTML, text, JSON and XML are read: find the page in one of these",
        code="unsupported_content",
    )
