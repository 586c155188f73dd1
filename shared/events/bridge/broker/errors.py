"""Errors of the NATS client as our own, for every call of the bridge."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import BrokerUnavailableError, PublishError


@contextmanager
def as_ours() -> Iterator[None]:
    """Raises BrokerUnavailableError for whatever NATS or the connection to it says."""
    from nats.errors import Error
    from nats.js.errors import APIError

    try:
        yield
    except PublishError as error:
        raise BrokerUnavailableError(error.message) from None
    except APIError as error:
        raise BrokerUnavailableError(f"NATS refuses (code {error.err_code})") from error
    except (Error, OSError, TimeoutError) as error:
        raise BrokerUnavailableError(f"NATS does not answer ({type(error).__name__})") from error
