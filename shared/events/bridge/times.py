"""When something happened, by what a payload says of itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from shared.clock import from_wire

_NAMES = ("timestamp", "time", "ts", "created_at", "createdAt")
# Numbers are seconds, or from here on milliseconds, as 1e11 s lie in the year 5138.
_MILLISECONDS_FROM = 1e11


def moment_of(payload: Any) -> datetime | None:
    """The payload's own time; None when it says none that can be read."""
    if not isinstance(payload, dict):
        return None
    for name in _NAMES:
        found = _moment(payload.get(name))
        if found is not None:
            return found
    return None


def _moment(value: Any) -> datetime | None:
    try:
        if isinstance(value, str):
            return from_wire(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if value >= _MILLISECONDS_FROM else value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None
