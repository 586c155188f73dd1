"""Times in documents: whole microseconds since 1970; timestamps only where Firestore's TTL looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970 in UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC time of `to_micros`."""
    return _EPOCH + timedelta(microseconds=micros)


def later(moment: datetime, seconds: float) -> int:
    """Microseconds since 1970 of the moment so many seconds on."""
    return to_micros(moment + timedelta(seconds=seconds))
