"""What Firestore and the network raise, as our own errors, and what each says about a write."""

from __future__ import annotations

from shared.errors import AppError, InternalError, StoreUnavailableError, TooLargeError

RETRY_AFTER = 2.0


def unavailable() -> StoreUnavailableError:
    """The error for a database that does not answer."""
    return StoreUnavailableError("the database does not answer", retry_after=RETRY_AFTER)


def client_errors() -> tuple[type[Exception], ...]:
    """All that a call of the client library raises when the database or the way to it fails."""
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError

    return (GoogleAPIError, GoogleAuthError, OSError, StoreUnavailableError)


def app_error(error: Exception) -> AppError:
    """What the caller of the store gets for one of `client_errors`."""
    from google.api_core import exceptions

    if isinstance(error, AppError):
        return error
    if isinstance(error, exceptions.InvalidArgument) and "too large" in str(error).lower():
        return TooLargeError("the database takes no value of that size")
    if isinstance(error, exceptions.ClientError) and not (is_contention(error) or is_refused(error)):
        # The cause's text may name documents, never what is in them.
        return InternalError("the database does not take a request of ours")
    return unavailable()


def is_contention(error: Exception) -> bool:
    """Whether another was quicker: nothing was written, and it helps to read again."""
    from google.api_core import exceptions

    quicker = (
        exceptions.Aborted,
        exceptions.AlreadyExists,
        exceptions.FailedPrecondition,
        exceptions.NotFound,
    )
    return isinstance(error, quicker)


def is_refused(error: Exception) -> bool:
    """Whether the database has too much to do: nothing was written, and it helps to wait."""
    from google.api_core import exceptions

    return isinstance(error, exceptions.TooManyRequests)


def is_doubtful(error: Exception) -> bool:
    """Whether nobody knows if the write was done: its answer was lost, or came too late."""
    from google.api_core import exceptions

    lost = (exceptions.ServerError, exceptions.RetryError, exceptions.Cancelled, OSError)
    return isinstance(error, lost)
