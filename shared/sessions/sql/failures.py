"""Errors of databases and drivers, as ours."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError, StatementError

from shared.errors import AppError, InternalError, SessionConflictError, StoreUnavailableError

RETRY_AFTER = 2.0

# Serialization failure and deadlock: nothing was written and the same again may work.
_RETRYABLE = ("40001", "40P01")


def app_error(error: Exception) -> AppError:
    """What the caller of the store gets for any error of SQLAlchemy, a driver or the network."""
    if isinstance(error, AppError):
        return error
    if isinstance(error, StatementError) and isinstance(error.orig, AppError):
        return error.orig
    if isinstance(error, IntegrityError | sqlite3.IntegrityError):
        return SessionConflictError("the write met another one")
    if isinstance(error, ProgrammingError | DataError | sqlite3.ProgrammingError):
        return InternalError("the database does not take a statement of ours")
    return unavailable()


def unavailable() -> StoreUnavailableError:
    """The error for a database that does not answer."""
    return StoreUnavailableError("the database does not answer", retry_after=RETRY_AFTER)


def is_transient(error: Exception) -> bool:
    """Whether the database gave the transaction up only because of others that ran beside it."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _RETRYABLE


def is_disconnect(error: Exception) -> bool:
    """Whether the connection turned out to be dead, as after a restart of the database."""
    return isinstance(error, DBAPIError) and error.connection_invalidated
