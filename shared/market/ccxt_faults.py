"""ccxt's errors as ours: one table, used for every request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from shared.errors import ToolFailedError, ToolInputError

_ELSEWHERE = "try again later, ask another exchange, or give candles as artifact"

# ccxt's class; what the model reads after the exchange's name; our code; whether a retry can help.
# The first that fits counts, so subclasses stand before their parents.
_TABLE = (
    ("RestrictedLocation", "does not serve this place; ask another exchange", "exchange_refused", False),
    ("RateLimitExceeded", "limits our requests; try again in a minute", "rate_limited", True),
    ("DDoSProtection", "limits our requests; try again in a minute", "rate_limited", True),
    ("RequestTimeout", f"did not answer in time; {_ELSEWHERE}", "timeout", True),
    ("NetworkError", f"cannot be reached; {_ELSEWHERE}", "exchange_unavailable", True),
    ("BadSymbol", "does not know this market; write it as base/quote, such as BTC/USDT", "", False),
    ("AuthenticationError", "refuses public requests; ask another exchange", "exchange_refused", False),
)
_UNREADABLE = (AttributeError, ArithmeticError, LookupError, TypeError, ValueError)


@contextmanager
def guarded(exchange: str, errors: ModuleType) -> Iterator[None]:
    """Turns what ccxt raises into our errors; an answer that it cannot read counts as the exchange's fault.

    The texts of ccxt hold URLs and bodies of answers: they stay in the chained cause.
    """
    try:
        yield
    except (ToolInputError, ToolFailedError):
        raise
    except errors.BaseError as error:
        raise _mapped(exchange, errors, error) from error
    except _UNREADABLE as error:
        raise unreadable(exchange) from error


def unreadable(exchange: str) -> ToolFailedError:
    """The error for an answer that is not what the exchange's interface promises."""
    return ToolFailedError(
        f"{exchange} gave an answer that cannot be read; {_ELSEWHERE}", code="exchange_failed", retryable=True
    )


def _mapped(exchange: str, errors: ModuleType, error: Exception) -> ToolInputError | ToolFailedError:
    for name, words, code, retryable in _TABLE:
        if isinstance(error, getattr(errors, name)):
            if not code:
                return ToolInputError(f"symbol: {exchange} {words}")
            return ToolFailedError(f"{exchange} {words}", code=code, retryable=retryable)
    return unreadable(exchange)
