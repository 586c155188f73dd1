"""Cursors of lists: where the next page begins, opaque to callers."""

from __future__ import annotations

import base64
import binascii
import json

from shared.errors import InvalidRequestError


def write_cursor(*place: int | str) -> str:
    """A cursor for the place in the list's order, safe in a URL."""
    return base64.urlsafe_b64encode(json.dumps(place).encode("ascii")).decode("ascii").rstrip("=")


def read_cursor(cursor: str, *kinds: type) -> list[int | str]:
    """The place a cursor of `write_cursor` names, one value of each kind.

    Raises:
        InvalidRequestError: the cursor is none of ours.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        place = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise InvalidRequestError("the cursor is not one that a list of ours gave") from None
    if not isinstance(place, list) or [type(part) for part in place] != list(kinds) or _is_huge(place):
        raise InvalidRequestError("the cursor is not one that a list of ours gave")
    return place


def _is_huge(place: list[int | str]) -> bool:
    return any(isinstance(part, int) and abs(part) >= 2**63 for part in place)
