"""A port whose calls are spans, whatever its methods are; for stores, which have many."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar, cast

from shared.tracing.context import current
from shared.tracing.port import Value
from shared.tracing.spans import is_tracing, span

P = TypeVar("P")


def traced_calls(port: P, name: str, attributes: Mapping[str, Value]) -> P:
    """The port, each coroutine of it a span `<method> <name>` beneath the task's place; as it is where
    nothing collects.

    Outside of any trace nothing is begun: what a process does by itself, every second, is nobody's request.
    """
    return cast(P, _Traced(port, name, attributes)) if is_tracing() else port


class _Traced:
    def __init__(self, port: object, name: str, attributes: Mapping[str, Value]) -> None:
        self._port = port
        self._name = name
        self._attributes = attributes

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if inspect.iscoroutinefunction(found) and name not in ("check", "close"):
            found = self._traced(name, found)
            # The next call finds it here.
            setattr(self, name, found)
        return found

    def _traced(self, method: str, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        title = f"{method} {self._name}"
        attributes = {**self._attributes, "db.operation.name": method}

        @functools.wraps(call)
        async def traced(*args: Any, **kwargs: Any) -> Any:
            if current() is None:
                return await call(*args, **kwargs)
            with span(title, "client", attributes):
                return await call(*args, **kwargs)

        return traced
