"""One page of a list, as the store gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """One page of a list and where the next begins (None at the end)."""

    items: tuple[T, ...]
    next_cursor: str | None = None
