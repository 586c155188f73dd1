"""The ids that the running task's log lines carry: of the request, the session, the turn."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType

_NOTHING: Mapping[str, str] = MappingProxyType({})
_ids: ContextVar[Mapping[str, str]] = ContextVar("log_ids", default=_NOTHING)


def log_ids() -> Mapping[str, str]:
    """The ids of the running task, by name."""
    return _ids.get()


class bound:
    """Within the body, and the tasks that it begins, log lines carry these ids too."""

    __slots__ = ("_added", "_token")

    def __init__(self, **ids: str) -> None:
        self._added = ids

    def __enter__(self) -> None:
        self._token = _ids.set({**_ids.get(), **self._added})

    def __exit__(self, *_: object) -> None:
        _ids.reset(self._token)
