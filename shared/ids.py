"""Identifiers: UUID v7 (RFC 9562), so that ids made later sort later."""

from __future__ import annotations

from collections.abc import Callable

import uuid_utils

NewId = Callable[[], str]


def new_id() -> str:
    """A fresh UUID v7 as its canonical string."""
    return str(uuid_utils.uuid7())
